"""A configuration without what only one of its parts reads."""

from __future__ import annotations

import pytest

from hub_estimator import config, errors
from tests.config import kitchen
from tests.config.kitchen import write

pytestmark = pytest.mark.one_tensorflow


@pytest.fixture(autouse=True)
def registered():
    kitchen.register()


def without_warm(files, given=(), parts=("warm",)):
    """What is left for `bake` without what only `warm` reads."""
    with config.early_session(files, given, is_complete=False) as session:
        return session.without(given, "warm", "bake", parts)


def test_what_both_read_stays_and_so_does_what_neither_reads(tmp_path):
    path = write(
        tmp_path / "a.gin",
        "FIG = 'fig'\nWATTS = 900\nOTHER = 1\nbake.cake = @Cake()\nCake.flavour = %FIG\n"
        "warm.cake = @cold/Cake()\nwarm.watts = %WATTS\ncold/Cake.topping = @ice()\nice.sugar = 3\n",
    )
    left = without_warm([path])
    assert left.text == (
        "FIG = 'fig'\nOTHER = 1\nbake.cake = @Cake()\nCake.flavour = %FIG\n"
    )  # fmt: skip
    assert left.given == ()


def test_what_was_given_is_divided_too(tmp_path):
    path = write(tmp_path / "a.gin", "W = 1\nbake.cake = @Cake()\nCake.flavour = 'fig'\n")
    given = ["W = 5", "warm.watts = %W", "bake.minutes = 7", "warm.cake = 'x'\nCake.layers = 3"]
    left = without_warm([path], given)
    assert left.given == ("bake.minutes = 7", "Cake.layers = 3")
    assert left.text == "bake.cake = @Cake()\nCake.flavour = 'fig'\n"


def test_statements_keep_their_order_through_files_that_include_others(tmp_path):
    write(tmp_path / "deep.gin", "Cake.layers = 1\n")
    write(tmp_path / "inner.gin", "Cake.flavour = 'fig'\ninclude 'deep.gin'\nCake.layers = 4\n")
    first = write(
        tmp_path / "a.gin", "bake.cake = @Cake()\ninclude 'inner.gin'\nbake.minutes = 1\n"
    )
    second = write(tmp_path / "b.gin", "bake.minutes = 2\nwarm.watts = 3\n")
    assert without_warm([first, second]).text == (
        "bake.cake = @Cake()\nCake.flavour = 'fig'\nCake.layers = 1\nCake.layers = 4\n"
        "bake.minutes = 1\nbake.minutes = 2\n"
    )


def test_all_settings_of_some_parts_go_also_where_nothing_reads_them(tmp_path):
    path = write(tmp_path / "a.gin", "bake.cake = 'x'\nhot/warm.watts = 3\nkitchen.ice.sugar = 1\n")
    assert without_warm([path]).text == "bake.cake = 'x'\nkitchen.ice.sugar = 1\n"
    assert without_warm([path], parts=("warm", "ice")).text == "bake.cake = 'x'\n"


def test_a_model_folders_configuration_is_included_as_it_is(tmp_path):
    path = write(tmp_path / "operative_config.gin", "bake.cake = 'x'\nwarm.watts = 3\n")
    assert without_warm([path]).text == f"include {path!r}\n"


def test_what_is_required_need_not_be_given_yet(tmp_path):
    path = write(tmp_path / "a.gin", "F = %gin.REQUIRED\nbake.cake = %F\n")
    assert without_warm([path]).text == "F = %gin.REQUIRED\nbake.cake = %F\n"
    with pytest.raises(errors.MissingSettingError), config.early_session([path]):
        pass
