"""Gin configurations: where they are found, what is wrong with them, which settings nothing reads."""

from __future__ import annotations

import os
import pathlib
import traceback

import pytest

from hub_estimator import config, errors
from tests.config import kitchen
from tests.config.kitchen import Cake, write

CONFIGS = pathlib.Path(__file__).parents[2] / "configs"
PACKAGED = ", ".join(sorted(path.name for path in CONFIGS.glob("*.gin")))


@pytest.fixture(autouse=True)
def configurables():
    kitchen.register()


def test_files_then_bindings_then_forgotten(tmp_path):
    path = write(tmp_path / "a.gin", "F = 'lemon'\nCake.flavour = %F\nbake.cake = @Cake()\n")
    with config.gin_session([path], ["F = 'plum'", "bake.minutes = 5"]) as session:
        assert session.call("bake") == (("plum", 2, None), 5, None)
        session.check_all_read()
    with config.gin_session() as session, pytest.raises(errors.MissingSettingError):
        session.call("bake")


def test_adding_again_changes_nothing():
    config.add_configurable(Cake, module="kitchen")
    assert Cake("x").parts == ("x", 2, None)


def test_includes_are_found_beside_the_file_and_in_the_package(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    write(tmp_path / "sub" / "flavour.gin", "Cake.flavour = 'fig'\nCake.layers = 1\n")
    path = write(
        tmp_path / "sub" / "cake.gin",
        "include 'flavour.gin'  # first\nCake.layers = 3\nbake.cake = @Cake()\n",
    )
    with config.gin_session([path]) as session:
        assert session.call("bake")[0] == ("fig", 3, None)


def test_packaged_configurations_are_found_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = config.find_file("base.gin")
    assert os.path.isabs(path) and pathlib.Path(path).name == "base.gin"


def test_a_file_of_the_working_folder_comes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "base.gin", "")
    assert config.find_file("base.gin") == "base.gin"


def test_the_operative_text_is_a_configuration(tmp_path):
    bindings = ["F = 'lemon'", "Cake.flavour = %F", "bake.cake = @Cake()", "bake.minutes = 7"]
    with config.gin_session([], bindings) as session:
        first = session.call("bake")
        text = session.operative_text("model")
    with config.gin_session([write(tmp_path / "o.gin", text)]) as session:
        assert session.call("bake") == first
        session.check_all_read()
        assert session.operative_text("model") == text


def test_scoped_bindings_are_read_in_their_scopes():
    bindings = ["bake.cake = @big/Cake()", "Cake.flavour = 'fig'", "big/Cake.layers = 9"]
    with config.gin_session([], bindings) as session:
        assert session.call("bake")[0] == ("fig", 9, None)
        session.check_all_read()


@pytest.mark.parametrize(
    ("bindings", "unread"),
    [
        (["Cake.flavour = 'fig'", "small/Cake.layers = 9"], ["small/Cake.layers"]),
        (["Cake.flavour = 'fig'", "big/Cake.flavour = 'plum'"], ["Cake.flavour"]),
        (["Cake.flavour = 'fig'", "FLAVOR = 'plum'"], ["FLAVOR"]),
        (["Cake.flavour = 'fig'", "Cake.layers = 2", "small/Cake.layers = 2"], []),
    ],
)
def test_unread_bindings(bindings, unread):
    with config.gin_session([], ["bake.cake = @big/Cake()", *bindings]) as session:
        check_before_and_after(session, unread[0] if unread else None)
        assert [str(binding) for binding in config.unread_bindings()] == unread


ICE = "Cake.flavour = 'fig'\nCake.topping = @ice()\nice.sugar = 7"


def check_before_and_after(session, unread):
    """Checks that a setting is found to be unread, by the texts alone and by a call; None is none."""
    for check in (lambda: session.check_reached("bake"), session.check_all_read):
        if unread is None:
            check()
        else:
            message = f"^Nothing reads this setting: {unread} "
            with pytest.raises(errors.UnreadBindingError, match=message):
                check()
        session.call("bake")


@pytest.mark.parametrize(
    ("text", "bindings", "unread"),
    [
        ("F = 'fig'\nCake.flavour = %F", ["Cake.flavour = 'plum'"], None),
        ("F = 'fig'\nCake.flavour = %F\nCake.flavour = 'plum'", [], None),
        ("F = 'fig'\nCake.flavour = %F", ["Cake.flavour = 'plum'", "F = 'lime'"], "F"),
        ("F = 'fig'\nCake.flavour = 'plum'", [], "F"),
        ("F = 'fig'\nG = 3\nCake.flavour = %F\nCake.topping = [%G]", ["Cake.topping = 1"], None),
        (ICE, [], None),
        (ICE, ["Cake.topping = 1"], None),
        (f"{ICE}\nCake.topping = 1", [], None),
        (ICE, ["Cake.topping = 1", "ice.sugar = 8"], "ice.sugar"),
        ("Cake.flavour = 'fig'\nice.sugar = 7", [], "ice.sugar"),
        (f"{ICE}\nmuch/ice.sugar = 8", [], "much/ice.sugar"),
    ],
)
def test_settings_of_files_whose_use_was_given_another_value(tmp_path, text, bindings, unread):
    path = write(tmp_path / "a.gin", f"bake.cake = @Cake()\n{text}\n")
    with config.gin_session([path], bindings) as session:
        check_before_and_after(session, unread)


def test_macros_read():
    bindings = ["bake.cake = @Cake()", "F = 'fig'", "Cake.flavour = %F", "G = 1"]
    with config.gin_session([], bindings) as session:
        session.call("bake")
        assert session.macros_read() == {"F": "fig"}


def test_what_the_caller_gives_is_not_read():
    with config.gin_session([], ["bake.minutes = 5"]) as session:
        session.call("bake", cake=Cake("x"), minutes=6)
        assert [str(binding) for binding in config.unread_bindings()] == ["bake.minutes"]


def test_settings_of_files_may_be_for_other_calls(tmp_path):
    path = write(
        tmp_path / "a.gin",
        "bake.cake = @Cake()\nCake.flavour = 'fig'\nF = 1\n",
    )
    with config.gin_session([path], ["warm.watts = 5", "warm.cake = @Cake()"]) as session:
        assert session.call("warm")[2] == 5
        session.check_given_read()
        with pytest.raises(errors.UnreadBindingError):
            session.check_all_read()


def test_settings_that_a_message_quotes():
    bindings = ["F = 'fig'", "Cake.flavour = %F", "Cake.topping = 'fig'", "bake.cake = 3"]
    with config.gin_session([], bindings) as session:
        assert session.settings_in("There is no 'fig'.") == ["F", "Cake.topping"]
        assert session.settings_in("There is no fig.") == []


def message_of(error_type, files=(), bindings=(), run=False):
    with pytest.raises(error_type) as caught:  # noqa: SIM117
        with config.gin_session(files, bindings) as session:
            if run:
                session.call("bake")
                session.check_all_read()
    return str(caught.value)


def test_message_for_an_unread_binding():
    bindings = ["bake.cake = @Cake()", "FLAVOUR = 'fig'", "Cake.flavour = %FLAVOUR"]
    message = message_of(
        errors.UnreadBindingError, bindings=[*bindings, "FLAVOR = 'plum'"], run=True
    )
    assert message == (
        "Nothing reads this setting: FLAVOR (Did you mean FLAVOUR?) Correct the name, or remove "
        "the binding."
    )


def test_message_for_very_many_unread_bindings():
    bindings = ["bake.cake = @Cake()", "Cake.flavour = 'fig'", *(f"M{n} = 1" for n in range(1021))]
    message = message_of(errors.UnreadBindingError, bindings=bindings, run=True)
    assert message.count("(There is none.)") == 20
    assert message.endswith(" and 1,001 more. Correct the name, or remove the binding.")


def test_message_for_an_unknown_file():
    assert message_of(errors.ConfigFileNotFoundError, ["nothing.gin"]) == (
        f"There is no gin file 'nothing.gin'. Give a path, or one of the packaged configurations: "
        f"{PACKAGED}."
    )


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("text_clasification.gin", "text_classification.gin"),
        ("text_classification", "text_classification.gin"),
        ("my_job.gin", "my_jobs.gin"),
        ("{folder}/my_job", "{folder}/my_jobs.gin"),
    ],
)
def test_message_for_a_file_whose_name_is_misspelt(tmp_path, monkeypatch, name, near):
    write(tmp_path / "my_jobs.gin", "")
    monkeypatch.chdir(tmp_path)
    name, near = (text.format(folder=tmp_path) for text in (name, near))
    assert message_of(errors.ConfigFileNotFoundError, [name]) == (
        f"There is no gin file {name!r}. Did you mean {near}? Give a path, or one of the packaged "
        f"configurations: {PACKAGED}."
    )


def test_message_for_an_unknown_included_file(tmp_path):
    path = write(tmp_path / "a.gin", "include 'nothing.gin'\n")
    assert message_of(errors.ConfigFileNotFoundError, [path]) == (
        f"There is no gin file 'nothing.gin', included by {path!r}. Give a path, or one of the "
        f"packaged configurations: {PACKAGED}."
    )


def test_message_for_a_file_that_includes_itself(tmp_path):
    path = write(tmp_path / "a.gin", "include 'a.gin'\n")
    assert message_of(errors.ConfigError, [path]) == f"{path!r} includes itself: {path} > {path}."


def test_message_for_a_file_in_another_encoding(tmp_path):
    path = tmp_path / "a.gin"
    path.write_bytes("# one\nF = 'für'\n".encode("latin-1"))
    assert message_of(errors.ConfigError, [str(path)]) == (
        f"The gin file {str(path)!r} is not UTF-8: byte 0xfc in line 2. Save it as UTF-8."
    )


def test_message_for_a_file_that_cannot_be_read():
    path = "/proc/self/mem"  # reading it from the start fails, for root too
    assert message_of(errors.ConfigError, [path]).startswith(
        f"The gin file {path!r} cannot be read: "
    )


def test_message_for_an_unknown_configurable():
    assert message_of(errors.UnknownSettingError, bindings=["cakes.layers = 2"]) == (
        "Nothing configurable is called 'cakes' (the binding 'cakes.layers = 2'). "
        "Did you mean Cake or bake?"
    )


def test_message_for_an_unknown_reference_in_a_file(tmp_path):
    path = write(tmp_path / "a.gin", "\nbake.cake = @Cak()\n")
    assert message_of(errors.UnknownSettingError, [path]).startswith(
        f"Nothing configurable is called 'Cak' ({path!r}, line 2). Did you mean Cake"
    )


def test_message_for_an_unknown_parameter():
    assert message_of(errors.UnknownSettingError, bindings=["Cake.flavor = 'fig'"]) == (
        "Cake has no parameter 'flavor' (the binding \"Cake.flavor = 'fig'\"). "
        "Did you mean flavour?"
    )


def test_message_for_what_the_run_gives():
    assert message_of(errors.ConfigError, bindings=["bake.oven = 1"]) == (
        "bake.oven cannot be configured (the binding 'bake.oven = 1'): the run itself gives it."
    )


def test_message_for_a_string_without_quotes():
    message = message_of(errors.ConfigError, bindings=["F = plum"])
    assert message.startswith("Cannot parse the binding 'F = plum': malformed node or string")
    assert message.endswith("A string needs quotes, as in \"NAME = 'text'\".")


def test_message_for_a_missing_setting(tmp_path):
    path = write(tmp_path / "a.gin", "F = %gin.REQUIRED\nG = %gin.REQUIRED\nCake.flavour = %F\n")
    assert message_of(errors.MissingSettingError, [path], ["G = 1"]) == (
        'The configuration needs F. Give it in a gin file or by --gin_bindings="F=...".'
    )


def test_message_for_an_undefined_macro():
    assert message_of(
        errors.UnknownSettingError, bindings=["FLAVOUR = 1", "Cake.flavour = %FLAVOR"]
    ) == ("The configuration uses %FLAVOR, which it does not define. Did you mean FLAVOUR?")


@pytest.mark.parametrize(
    "error",
    [
        errors.ModelError("It is wrong."),
        TypeError("f() missing 1 required positional argument: 'x'"),  # not that of this call
        OSError(28, "full"),
    ],
)
def test_errors_of_configured_functions_have_nothing_of_gin(error):
    def fails():
        raise error

    name = f"fails_with_{type(error).__name__}"
    config.add_configurable(fails, name, module="kitchen")
    with config.gin_session() as session, pytest.raises(type(error)) as caught:
        session.call(name)
    shown = "".join(traceback.format_exception(caught.value))
    assert caught.value is error and "In call to configurable" not in shown


def test_what_a_part_refuses_is_a_wrong_setting():
    def picky(sugar):
        raise ValueError(f"too sweet: {sugar}")

    config.add_configurable(picky, module="kitchen")
    bindings = ["bake.cake = @Cake()", "Cake.flavour = @picky()", "picky.sugar = 9"]
    with config.gin_session([], bindings) as session, pytest.raises(errors.ConfigError) as caught:
        session.call("bake")
    assert str(caught.value) == (
        "picky cannot be made as it is set: ValueError: too sweet: 9. Check its settings."
    )
    assert isinstance(caught.value.__cause__, ValueError)
    with config.gin_session() as session, pytest.raises(ValueError, match="^too sweet: 9$"):
        session.call("picky", sugar=9)


def test_message_for_an_argument_that_nothing_gives():
    assert message_of(errors.MissingSettingError, bindings=["bake.cake = @Cake()"], run=True) == (
        "The configuration needs Cake.flavour. Give it in a gin file or by --gin_bindings."
    )
