"""A configuration as it would run, as text: what is set, what is default, and the same read again."""

from __future__ import annotations

import pytest

from hub_estimator import config, errors
from tests.config import kitchen
from tests.config.kitchen import write


@pytest.fixture(autouse=True)
def registered():
    kitchen.register()


def whole(files, bindings=(), name="bake"):
    with config.gin_session(files, bindings) as session:
        return session.whole_text(name)


def body(text):
    """A configuration without the comments at its head, which say where it is from."""
    return text.partition("\n\n")[2]


def test_files_macros_settings_and_defaults_in_the_order_of_their_use(tmp_path):
    inner = write(tmp_path / "inner.gin", "F = 'fig'\nUNUSED = 1\nSUGAR = 7\n")
    path = write(
        tmp_path / "a.gin",
        "include 'inner.gin'\nCake.flavour = %F\nbake.cake = @big/Cake()\nCake.layers = %SUGAR\n"
        "big/Cake.layers = 2\nCake.topping = [@ice(), {'ice': %F}]\nice.sugar = %SUGAR\n"
        "UNUSED = None\nwarm.cake = %UNUSED\n",
    )
    with pytest.raises(errors.UnreadBindingError):
        whole([path])
    path = write(tmp_path / "a.gin", (tmp_path / "a.gin").read_text().split("UNUSED")[0])
    write(tmp_path / "inner.gin", "F = 'fig'\nSUGAR = 7\n")
    assert whole([path], ["bake.minutes = 30", "SUGAR = 8"]) == (
        f"# From these files, those that a file includes below it:\n#   {path!r}\n#     {inner!r}\n"
        "# Set by bindings: SUGAR, bake.minutes\n"
        "\n"
        "F = 'fig'\n"
        "SUGAR = 8\n"
        "\n"
        "bake.cake = @big/Cake()\n"
        "bake.minutes = 30  # default\n"
        "\n"
        "Cake.flavour = %F\n"
        "big/Cake.layers = 2  # default\n"
        "Cake.topping = [@ice(), {'ice': %F}]\n"
        "\n"
        "ice.sugar = %SUGAR\n"
    )


def test_a_parameter_that_one_scope_sets_and_another_leaves():
    bindings = ["bake.cake = [@a/Cake(), @b/Cake()]", "Cake.flavour = 'fig'", "a/Cake.layers = 5"]
    assert whole([], bindings) == (
        "# Set by bindings: Cake.flavour, a/Cake.layers, bake.cake\n\n"
        "bake.cake = [@a/Cake(), @b/Cake()]\n"
        "bake.minutes = 30  # default\n"
        "\n"
        "Cake.flavour = 'fig'\n"
        "Cake.layers = 2  # default\n"
        "a/Cake.layers = 5\n"
        "Cake.topping = None  # default\n"
    )


def test_a_default_that_a_gin_file_cannot_have_is_a_comment():
    def fry(pan=write, oil=object):
        return pan, oil

    config.add_configurable(fry, module="kitchen")
    assert whole([], ["bake.cake = @fry()"]) == (
        "# Set by bindings: bake.cake\n\nbake.cake = @fry()\nbake.minutes = 30  # default\n\n"
        "# fry.pan: write, by default\n# fry.oil: object, by default\n"
    )


def test_what_a_program_registered_itself_and_its_import(tmp_path, monkeypatch):
    (tmp_path / "my_sauces.py").write_text(
        "import gin\n\n\n@gin.configurable(module='my_sauces')\ndef sauce(a, b=2):\n    return a, b\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    bindings = ["import my_sauces", "bake.cake = [@x/sauce(), @sauce()]", "sauce.a = 1"]
    text = body(whole([], [*bindings, "x/sauce.b = 3"]))
    assert text == (
        "import my_sauces\n\nbake.cake = [@x/sauce(), @sauce()]\nbake.minutes = 30  # default\n\n"
        "sauce.a = 1\nx/sauce.b = 3\n"
    )
    assert body(whole([write(tmp_path / "again.gin", text)])) == text


def test_read_again_it_is_the_same(tmp_path):
    bindings = [
        "bake.cake = @big/Cake()",
        "Cake.flavour = 'it\\'s \"one\"\\n'",
        "big/Cake.layers = -1",
    ]
    text = whole([], bindings)
    assert body(whole([write(tmp_path / "again.gin", text)])) == body(text)


def test_macros_with_their_comments_complete_or_not(tmp_path):
    inner = "A = 1  # number of As\nB = [  # the list\n    1,\n]  # of Bs\nC = 'x # y'\nD = %A\n"
    write(tmp_path / "inner.gin", inner)
    path = write(
        tmp_path / "a.gin",
        "include 'inner.gin'\nA = 2\nE = %gin.REQUIRED  # must be given\nF = %gin.REQUIRED\n"
        "# a comment alone\nCake.layers = 3  # no macro\n",
    )
    found = config.macros([path], ["F = 'fig'  # given"], ())
    assert [(macro.name, macro.value, macro.comment) for macro in found] == [
        ("A", "2", "number of As"),
        ("B", "[1]", "of Bs"),
        ("C", "'x # y'", ""),
        ("D", "%A", ""),
        ("E", "", "must be given"),
        ("F", "'fig'", ""),
    ]
