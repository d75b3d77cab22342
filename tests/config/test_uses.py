"""Settings that contain themselves, or too much; and those that others made useless."""

from __future__ import annotations

import pytest

from hub_estimator import config, errors
from tests.config import kitchen
from tests.config.kitchen import write


@pytest.fixture(autouse=True)
def configurables():
    kitchen.register()


def message(bindings):
    with pytest.raises(errors.ConfigError) as caught, config.gin_session([], bindings):
        pass
    return str(caught.value)


CIRCLES = [
    (["A = %A", "Cake.flavour = %A"], ["A"]),
    (["A = [%B]", "B = {1: (%A,)}", "Cake.flavour = %A"], ["A", "B"]),
    (["Cake.flavour = @Cake()"], ["Cake.flavour"]),
    (["Cake.flavour = %A", "A = @kitchen.Cake()"], ["A", "Cake.flavour"]),
    (
        ["x/Cake.flavour = 1", "Cake.flavour = @x/Cake()", "x/Cake.topping = @x/Cake()"],
        ["x/Cake.topping"],
    ),
    (
        ["Cake.flavour = @x/ice()", "x/ice.sugar = @y/ice()", "y/ice.sugar = @x/ice()"],
        ["x/ice.sugar", "y/ice.sugar"],
    ),
    (
        ["Cake.flavour = @s/singleton()", "s/singleton.constructor = @s/singleton"],
        ["s/singleton.constructor"],
    ),
    (["Cake.flavour = 1", "Cake.topping = @ice", "ice.sugar = @ice()"], ["ice.sugar"]),
]


@pytest.mark.parametrize(("bindings", "circle"), CIRCLES, ids=range(len(CIRCLES)))
def test_circles(bindings, circle):
    with (
        pytest.raises(errors.ConfigError) as caught,
        config.gin_session([], ["bake.cake = @Cake()", *bindings]) as session,
    ):
        session.call("bake")
    assert str(caught.value) == (
        f"{circle[0]} contains itself: {' > '.join([*circle, circle[0]])}. Give one of these "
        "settings another value."
    )


@pytest.mark.parametrize(
    ("bindings", "parts"),
    [
        # A part in another scope of the same part; a part that is only passed on.
        (["Cake.flavour = @x/Cake()", "x/Cake.flavour = 'fig'"], None),
        (["Cake.flavour = @Cake"], None),
        (["A = 'fig'", "B = [%A, %A]", "Cake.flavour = [%B, %B]"], [["fig", "fig"]] * 2),
    ],
)
def test_what_is_no_circle(bindings, parts):
    with config.gin_session([], ["bake.cake = @Cake()", *bindings]) as session:
        flavour = session.call("bake")[0][0]
    assert parts is None or flavour == parts


def test_a_circle_of_what_is_called_only_later():
    bindings = ["A = @warm", "warm.cake = @Cake()", "Cake.flavour = @Cake()"]
    with config.gin_session([], bindings) as session, pytest.raises(errors.ConfigError) as caught:
        session.call("warm")
    assert str(caught.value).startswith("Cake.flavour contains itself: ")


def test_macros_in_one_another():
    chain = [f"A{number} = [%A{number + 1}]" for number in range(30)]
    way = " > ".join(["Cake.flavour", *(f"A{number}" for number in range(25))])
    assert message([*chain, "A30 = 1", "Cake.flavour = %A0"]) == (
        f"Cake.flavour has values in one another more than 50 deep: {way}."
    )
    with config.gin_session([], [*chain[10:], "A30 = 1", "Cake.flavour = %A10"]) as session:
        deep = session.call("Cake").parts[0]
        while isinstance(deep, list):
            [deep] = deep
        assert deep == 1


def test_macros_in_one_another_that_were_short_where_they_were_met_first():
    chain = [f"A{number} = %A{number + 1}" for number in range(80)]
    short = ["Cake.flavour = %A40", "Cake.topping = %A0", "A80 = 1"]
    assert message([*chain, *short]).startswith("Cake.topping has values in one another more than ")


def test_macros_that_grow():
    bindings = [f"A{number} = [{', '.join([f'%A{number + 1}'] * 10)}]" for number in range(20)]
    assert message([*bindings, "A20 = 1", "Cake.flavour = %A0"]) == (
        "A14 becomes more than 1,000,000 values with what it uses."
    )


def read(tmp_path, text, *bindings, call="bake"):
    """Calls with a file and bindings, and checks that all is read."""
    path = write(tmp_path / "a.gin", text)
    with config.gin_session([path], bindings) as session:
        result = session.call(call)
        session.check_all_read()
    return result


FILE = "bake.cake = @Cake()\nCake.flavour = 'fig'\nCake.topping = 'cream'\n"


def test_a_setting_of_a_file_that_inner_scopes_overrule(tmp_path):
    scoped = ["bake.cake = @x/Cake()", "x/Cake.topping = 'nuts'"]
    assert read(tmp_path, FILE, *scoped) == (("fig", 2, "nuts"), 30, None)
    both = ["bake.minutes = @y/Cake()", "y/Cake.topping = 'ice'"]
    assert read(tmp_path, FILE, *scoped, *both)[0] == ("fig", 2, "nuts")


def test_a_given_setting_that_inner_scopes_overrule_is_an_error(tmp_path):
    scoped = ["bake.cake = @x/Cake()", "x/Cake.topping = 'nuts'", "Cake.topping = 'jam'"]
    with pytest.raises(
        errors.UnreadBindingError, match="^Nothing reads this setting: Cake.topping "
    ):
        read(tmp_path, FILE, *scoped)


def test_a_scoped_setting_of_a_file_whose_scope_is_used_no_more(tmp_path):
    text = (
        "bake.cake = @x/Cake()\nbake.minutes = @y/Cake()\nCake.flavour = 'fig'\nx/Cake.layers = 4\n"
    )
    assert read(tmp_path, text, "bake.cake = @y/Cake()")[0] == ("fig", 2, None)
    with pytest.raises(
        errors.UnreadBindingError, match="^Nothing reads this setting: z/Cake.layers"
    ):
        read(tmp_path, f"{text}z/Cake.layers = 3\n", "bake.cake = @y/Cake()")


REQUIRED = "bake.cake = @Cake()\nCake.flavour = %F\nF = %gin.REQUIRED\n"


@pytest.mark.parametrize(
    "bindings",
    [
        ["Cake.flavour = 'fig'"],
        ["bake.cake = @x/Cake()", "x/Cake.flavour = 'fig'"],
        ["bake.cake = @fig/Cake()", "fig/Cake.flavour = 'fig'", "Cake.layers = 2"],
    ],
)
def test_what_a_file_requires_and_nothing_reads_need_not_be_given(tmp_path, bindings):
    assert read(tmp_path, REQUIRED, *bindings)[0][0] == "fig"


@pytest.mark.parametrize("bindings", [[], ["bake.cake = @x/Cake()"], ["bake.minutes = @Cake"]])
def test_what_a_file_requires_and_something_reads(tmp_path, bindings):
    with pytest.raises(errors.MissingSettingError) as caught:
        read(tmp_path, REQUIRED, *bindings)
    assert str(caught.value) == (
        'The configuration needs F. Give it in a gin file or by --gin_bindings="F=...".'
    )


def test_a_parameter_that_is_required():
    assert message(["bake.cake = @Cake()", "Cake.flavour = %gin.REQUIRED"]) == (
        "The configuration needs Cake.flavour. Give it in a gin file or by "
        '--gin_bindings="Cake.flavour=...".'
    )


def test_a_text_that_looks_like_a_requirement(tmp_path):
    assert read(tmp_path, REQUIRED, "F = '%gin.REQUIRED'")[0][0] == "%gin.REQUIRED"
