"""Gin files that users name: what they include and import, and files that are none."""

from __future__ import annotations

import os
import sys

import gin
import pytest

from hub_estimator import config, errors
from tests.config import kitchen
from tests.config.kitchen import write


@pytest.fixture(autouse=True)
def configurables(tmp_path, monkeypatch):
    kitchen.register()
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Makes a module of Python that can be imported here, once."""
    monkeypatch.syspath_prepend(str(tmp_path))
    made = []

    def make(name, text):
        write(tmp_path / f"{name}.py", text)
        made.append(name)

    yield make
    for name in made:
        sys.modules.pop(name, None)


def message(files=(), bindings=()):
    with pytest.raises(errors.ConfigError) as caught, config.gin_session(files, bindings):
        pass
    return str(caught.value)


def flavour(files, bindings=("bake.cake = @Cake()",)):
    with config.gin_session(files, bindings) as session:
        return session.call("bake")[0][0]


def test_statements_around_includes_count_in_their_order(tmp_path):
    write(tmp_path / "b.gin", "Cake.flavour = 'fig'\n")
    for text, expected in [
        ("Cake.flavour = 'plum'\ninclude 'b.gin'\n", "fig"),
        ("include 'b.gin'  # first\nCake.flavour = 'plum'", "plum"),
        ("include \\\n  'b' '.gin'\n\n\nCake.flavour = 'plum'", "plum"),
        ("Cake.flavour = '''\ninclude 'c.gin'\n'''", "\ninclude 'c.gin'\n"),
        ("include 'b.gin'\r\nCake.flavour = 'plum'\r\n", "plum"),
        ("include 'b.gin'\rCake.flavour = 'plum'\r", "plum"),
    ]:
        (tmp_path / "a.gin").write_bytes(text.encode())
        assert flavour(["a.gin"]) == expected


def test_lines_are_those_of_the_file_also_after_an_include(tmp_path):
    write(tmp_path / "b.gin", "Cake.flavour = 'fig'\n")
    write(tmp_path / "a.gin", "include 'b.gin'\n\nCake.flavor = 'plum'")
    assert message(["a.gin"]) == (
        "Cake has no parameter 'flavor' ('a.gin', line 3). Did you mean flavour?"
    )


def test_what_a_packaged_configuration_includes_is_packaged(tmp_path):
    write(tmp_path / "base.gin", "import not_there")
    assert "Importing not_there fails" in message(["base.gin"])  # named on purpose
    assert "not_there" not in message(["table.gin"])
    assert config.find_file("base.gin", beside=config.find_file("table.gin")) != "base.gin"


@pytest.mark.parametrize("how", ["spelling", "link", "hard link"])
def test_a_file_that_includes_itself_by_another_path(tmp_path, how):
    other = {"spelling": "sub/../a.gin", "link": "link.gin", "hard link": "hard.gin"}[how]
    (tmp_path / "sub").mkdir()
    write(tmp_path / "a.gin", "include 'b.gin'\n")
    write(tmp_path / "b.gin", f"include {other!r}\n")
    os.symlink("a.gin", "link.gin")
    os.link("a.gin", "hard.gin")
    assert message(["a.gin"]) == f"{other!r} includes itself: a.gin > b.gin > {other}."


def test_three_thousand_files_in_a_chain(tmp_path):
    for number in range(3000):
        write(tmp_path / f"{number}.gin", f"include '{number + 1}.gin'\n")
    way = " > ".join(f"{number}.gin" for number in range(51))
    assert message(["0.gin"]) == (
        "'51.gin' is one file too many: at most 50 may include one another, and 1000 be included in "
        f"all. It is included by {way}."
    )


def test_files_that_include_one_another_twice(tmp_path):
    for number in range(20):
        write(tmp_path / f"{number}.gin", f"include '{number + 1}.gin'\n" * 2)
    write(tmp_path / "20.gin", "")
    assert " is one file too many: at most 50 may include one another, " in message(["0.gin"])


def test_a_named_pipe(tmp_path):
    os.mkfifo("a.gin")
    assert message(["a.gin"]) == (
        "The gin file 'a.gin' cannot be read: 'a.gin' is a named pipe; a regular file is needed "
        "here."
    )


def test_a_device():
    assert message(["/dev/zero"]) == (
        "The gin file '/dev/zero' cannot be read: '/dev/zero' is a device; a regular file is needed "
        "here."
    )


def test_a_very_large_file(tmp_path):
    with open("a.gin", "wb") as file:
        file.truncate(10_000_001)
    assert message(["a.gin"]) == (
        "The gin file 'a.gin' has 10,000,001 bytes; at most 10,000,000 are read."
    )


def test_a_filesystem_that_nobody_knows():
    assert message(["zzz://a.gin"]).startswith("The gin file 'zzz://a.gin' cannot be read: ")


@pytest.mark.parametrize("name", ["a" * 5000, "a\0b", "\ud800"])
def test_names_that_no_file_can_have(tmp_path, name):
    write(tmp_path / "a.gin", f"include {name!r}\n")
    assert message(["a.gin"]).startswith("There is no gin file '")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("import no_module_at_all", "ModuleNotFoundError: No module named 'no_module_at_all'"),
        ("raise GeneratorExit", "GeneratorExit"),
        ("class E(Exception):\n  def __init__(self, a, b): ...\nraise E(1, 2)", "E: (1, 2)"),
        ("1 +", "SyntaxError: invalid syntax"),
        ("def f(): f()\nf()", "RecursionError: maximum recursion depth exceeded"),
    ],
)
def test_a_module_that_raises(tmp_path, module, text, reason):
    module("failing_module", text)
    write(tmp_path / "a.gin", "\nimport failing_module\n")
    assert message(["a.gin"]).startswith("Importing failing_module fails ('a.gin', line 2): ")
    assert reason in message(["a.gin"])
    assert message([], ["import failing_module"]).startswith(
        "Importing failing_module fails (the binding 'import failing_module'): "
    )


def test_ctrl_c_during_an_import_is_no_error_of_it(tmp_path, module):
    module("interrupted_module", "raise KeyboardInterrupt")
    write(tmp_path / "a.gin", "import interrupted_module\n")
    with pytest.raises(KeyboardInterrupt), config.gin_session(["a.gin"]):
        pass


def test_what_an_imported_module_registers_can_be_named(tmp_path, module):
    module(
        "spices",
        "import gin\n\n@gin.configurable(module='spices')\ndef pepper(hot=1): return f'hot {hot}'",
    )
    text = "import spices\nbake.cake = @Cake()\nCake.flavour = @pepper()\npepper.hot = 3\n"
    write(tmp_path / "a.gin", text)
    with config.gin_session(["a.gin"]) as session:
        assert session.call("bake")[0][0] == "hot 3"
        session.check_all_read()
        assert session.imports == ("spices",)
        text = session.operative_text("model")
        assert "\nimport" not in text and '# imports = ["spices"]\n' in text


def test_gins_own_registration_has_no_names_that_a_model_folder_could_have(tmp_path):
    write(tmp_path / "a.gin", "from __gin__ import dynamic_registration\nimport os\n")
    assert message(["a.gin"]) == (
        "Gin's dynamic_registration is not supported ('a.gin', line 1): what it registers could not "
        "be named when the model folder is read. Register the part in its module, with "
        "@gin.configurable, and import that."
    )


def test_one_binding_of_several_lines():
    assert flavour([], ["bake.cake = @Cake()\nCake.flavour = 'plum'\n"]) == "plum"


def test_a_binding_that_includes(tmp_path):
    assert message([], ["include 'a.gin'"]) == (
        "A binding includes no file (the binding \"include 'a.gin'\"). Give that by --gin_file."
    )


def test_a_long_binding_is_cut_in_messages():
    text = "A = " + "x" * 10_000
    assert message([], [text]).startswith(
        f"Cannot parse the binding {text[:120]!r}... (10,004 characters): malformed "
    )


def test_a_name_of_several_parts(tmp_path):
    def crumble(flour=1):
        return flour

    def other(flour=1):
        return flour

    gin.external_configurable(crumble, "crumble", module="kitchen")
    gin.external_configurable(other, "crumble", module="bakery")
    assert message([], ["crumble.flour = 2"]) == (
        "Ambiguous selector 'crumble', matches ['bakery.crumble', 'kitchen.crumble'] (the binding "
        "'crumble.flour = 2'). Write more of its name, as it is there."
    )


@pytest.mark.parametrize(
    ("bindings", "expected"),
    [
        (["A = @x/gin.constant()"], "Cannot use the configuration: KeyError: 'x'."),
        (
            ["A = @x/gin.macro", "x = 1"],
            "Cannot use the configuration: Reference '@x/gin.macro' must be evaluated (add '()').",
        ),
    ],
)
def test_gins_own_parts(bindings, expected):
    assert message([], bindings) == expected


@pytest.mark.parametrize(
    ("bindings", "expected"),
    [
        (
            ["Cake.flavour = @s/gin.singleton()", "s/gin.singleton.constructor = 3"],
            "The configuration cannot be used: ValueError: The constructor for singleton 's' is "
            + "not callable.",
        ),
        (
            ["Cake.flavour = {%A: 1}", "A = [1]"],
            "The configuration cannot be used: TypeError: unhashable type: 'list'.",
        ),
    ],
)
def test_what_gin_cannot_put_together(bindings, expected):
    bindings = ["bake.cake = @Cake()", *bindings]
    with config.gin_session([], bindings) as session, pytest.raises(errors.ConfigError) as caught:
        session.call("bake")
    assert str(caught.value) == expected
