"""A model folder's configuration is data: what it cannot do, and what users can allow."""

from __future__ import annotations

import os
import pathlib
import sys

import pytest

from hub_estimator import config, errors
from tests.config import kitchen
from tests.config.kitchen import write

OWN = "bake.cake = @Cake()\nCake.flavour = 'fig'\n"
DATA = "A model folder is data, so its configuration "


@pytest.fixture(autouse=True)
def hostile(tmp_path, monkeypatch):
    """The working folder, with a module that says that it was imported."""
    kitchen.register()
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    write(tmp_path / "hostile.py", "open('ran', 'w').close()\n")
    yield tmp_path
    sys.modules.pop("hostile", None)


def refusal(text, allowed=()):
    """The message for a configuration of a model folder, given what was allowed."""
    path = write(pathlib.Path("m/operative_config.gin"), text)
    with pytest.raises(errors.ConfigError) as caught:  # noqa: SIM117
        with config.gin_session([path], [], allowed) as session:
            session.call("bake")
    assert not os.path.exists("ran") and not os.path.exists("shell")
    return str(caught.value).replace(repr(path), "'m'")


WHERE_ALLOWED = "Where you trust that module, give --allow_import"
UNKNOWN = (
    "The configuration of a model folder imports nothing. Where a module of yours registers that, "
    "give --allow_import=<module>."
)
DYNAMIC = """from __gin__ import dynamic_registration
import subprocess
Cake.topping = @subprocess.getoutput()
subprocess.getoutput.cmd = 'touch shell'"""
HOSTILE = [
    (
        "import hostile",
        f"'m', line 3 imports 'hostile'. {DATA}imports nothing. {WHERE_ALLOWED}=hostile.",
    ),
    (
        "from hostile import a as b",
        f"'m', line 3 imports 'hostile.a'. {DATA}imports nothing. {WHERE_ALLOWED}=hostile.a.",
    ),
    (DYNAMIC, f"'m', line 3 asks for gin's 'dynamic_registration'. {DATA}registers nothing."),
    (
        "include 'other.gin'",
        f"'m', line 3 includes 'other.gin'. {DATA}includes nothing. Where you wrote it, give it "
        + "another name.",
    ),
    (
        "Cake.topping = @subprocess.getoutput()",
        f"Nothing configurable is called 'subprocess.getoutput' ('m', line 3). {UNKNOWN}",
    ),
    (
        "hostile.part.x = 3",
        f"Nothing configurable is called 'hostile.part' ('m', line 3). {UNKNOWN}",
    ),
    (
        "Cake.topping = %hostile.CONSTANT",
        f"The configuration uses %hostile.CONSTANT, which it does not define. {UNKNOWN}",
    ),
]


@pytest.mark.parametrize(("text", "expected"), HOSTILE, ids=range(len(HOSTILE)))
def test_it_imports_registers_and_includes_nothing(text, expected):
    write(pathlib.Path("m/other.gin"), "import hostile\n")
    assert refusal(f"{OWN}{text}\n") == expected


def test_users_own_files_do(hostile):
    path = write(hostile / "own.gin", f"import hostile\n{OWN}")
    with config.gin_session([path]) as session:
        assert session.call("bake")[0] == ("fig", 2, None)
    assert os.path.exists("ran")


@pytest.mark.parametrize("name", ["given by a link", "links elsewhere", "included"])
def test_what_has_the_name_of_one_is_one(hostile, name):
    operative = hostile / "m" / "operative_config.gin"
    text = f"{OWN}import hostile\n"
    if name == "links elsewhere":
        write(hostile / "elsewhere.gin", text)
        operative.parent.mkdir()
        operative.symlink_to("../elsewhere.gin")
        given = str(operative)
    else:
        write(operative, text)
        given = str(hostile / "given.gin")
    if name == "given by a link":
        os.symlink(operative, given)
    elif name == "included":
        write(hostile / "given.gin", f"include {str(operative)!r}\n")
    with pytest.raises(errors.ConfigError) as caught, config.gin_session([given]):
        pass
    assert " imports 'hostile'. " in str(caught.value) and not os.path.exists("ran")


SPICE = "import gin\n\n@gin.configurable(module='{0}')\ndef {0}(hot=1): return f'hot {{hot}}'\n"


@pytest.fixture(scope="module")
def spices(tmp_path_factory):
    """Two modules with a part each, which gin knows for ever once they were imported."""
    folder = tmp_path_factory.mktemp("spices")
    for name in ("cumin", "saffron"):
        write(folder / f"{name}.py", SPICE.format(name))
    sys.path.append(str(folder))
    yield
    sys.path.remove(str(folder))


def test_what_users_imported_in_training_they_allow_by_name(hostile, spices):
    own = f"import cumin\nimport saffron\n{OWN}Cake.topping = [@cumin(), @saffron()]\n"
    with config.gin_session([write(hostile / "own.gin", own)]) as session:
        baked = session.call("bake")
        text = session.operative_text("m")
    # As another process reads it, in which nobody has registered them.
    unknown = text.replace("@cumin", "@caraway").replace("@saffron", "@turmeric")
    assert refusal(unknown).endswith(
        "). The configuration of a model folder imports nothing. Where a module of yours registers "
        "that, give --allow_import=cumin --allow_import=saffron."
    )
    assert refusal(unknown, allowed=["cumin"]).endswith(" give --allow_import=saffron.")
    both = ["cumin", "saffron"]
    assert refusal(unknown, allowed=both).startswith("Nothing configurable is called 'caraway' (")
    path = write(hostile / "m" / "operative_config.gin", text)
    with config.gin_session([path], [], both) as session:
        assert session.call("bake") == baked and session.imports == ("cumin", "saffron")
        assert session.operative_text("m") == text


def test_imports_that_earlier_releases_wrote_are_fine_where_they_are_allowed(hostile, spices):
    path = write(hostile / "m" / "operative_config.gin", f"import cumin\n{OWN}cumin.hot = 2\n")
    with config.gin_session([path], ["Cake.topping = @cumin()"], ["cumin"]) as session:
        assert session.call("bake")[0] == ("fig", 2, "hot 2")


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        ("no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("../cumin", "TypeError: the 'package' argument is required to perform a relative import"),
        (".cumin", "TypeError: the 'package' argument is required"),
        ("", "ValueError: Empty module name"),
        ("__gin__.dynamic_registration", "ModuleNotFoundError: No module named '__gin__'"),
    ],
)
def test_allowed_modules_that_cannot_be_imported(module, reason):
    message = refusal(OWN, allowed=[module])
    assert message.startswith(f"Importing {module} fails (--allow_import={module}): {reason}")


def test_where_it_writes_is_not_for_a_model_folder_to_say(hostile, caplog):
    text = "recipe.path = 'p'\nrecipe.shelf = '/etc'\nx/kitchen.recipe.shelf = '/usr'\n"
    path = write(hostile / "m" / "operative_config.gin", text)
    with config.gin_session([path]) as session:
        assert session.call("recipe") == ("p", None)
    assert caplog.messages == [
        f"{path} sets {name}, which has no effect: it says where to write or what to fetch, and "
        f'counts only where you give it, as in --gin_bindings="{name}=...".'
        for name in ("recipe.shelf", "x/kitchen.recipe.shelf")
    ]
    with config.gin_session([path], ["recipe.shelf = 'mine'"]) as session:
        assert session.call("recipe") == ("p", "mine")
    caplog.clear()
    write(hostile / "m" / "operative_config.gin", "recipe.path = 'p'\nrecipe.shelf = None\n")
    with config.gin_session([path]) as session:
        assert session.call("recipe") == ("p", None)
    with config.gin_session([write(hostile / "own.gin", text)]) as session:
        assert session.call("recipe") == ("p", "/etc")
    assert caplog.messages == []
