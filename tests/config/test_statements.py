"""What can be wrong with the text of a configuration, and what to do, in one line."""

from __future__ import annotations

import pytest

from hub_estimator import config, errors
from hub_estimator.config import statements
from hub_estimator.config.statements import Binding, Import, Include, Reference

SETTING = "A setting is written NAME = value."
VALUE = (
    "here a value is missing: a text in quotes, a number, True, False, None, a list, a dict, @part "
    "or %MACRO."
)
QUOTES = "A string needs quotes, as in \"NAME = 'text'\"."
WRONG = [
    ("A = 1\nB = plum\n", 2, f"malformed node or string 'plum'. {QUOTES}"),
    ("A = nan", 1, f"malformed node or string 'nan'. {QUOTES}"),
    ("FINE_TUNE = true", 1, "true is no value. Write True."),
    ("A = [\n  1,\n  FALSE]", 3, "FALSE is no value. Write False."),
    ("A = none", 1, "none is no value. Write None."),
    ("A = null", 1, "null is no value. Write None."),
    ("A = yes", 1, "yes is no value. Write True."),
    ("A: True", 1, "a setting is written NAME = value, with no colon."),
    ("Cake:\n  layers: 3", 2, "a setting is written NAME = value, with no colon."),
    ("A True", 1, "this is no setting, which is written NAME = value."),
    ("A", 1, "this is no setting, which is written NAME = value."),
    ("A = ", 1, VALUE),
    ("A = [1, , 2]", 1, VALUE),
    ("A = 1 2", 1, "there is something after the value; a setting is one value."),
    ("A = 1; B = 2", 1, "there is something after the value; a setting is one value."),
    ("= 3", 1, f"here a name is missing. {SETTING}"),
    ("A = @", 1, f"here a name is missing. {SETTING}"),
    ("A = 'plum\nB = 1", 1, "a string does not end; its line has one quote too few or many."),
    ("\nA = '''plum\nB = 1", 2, "a string in three quotes does not end."),
    ("A = 1\nB = [1,\n  (2,\n  3\nC = 2\n", 3, "a bracket does not end."),
    ("A = @ice(", 1, "a bracket does not end."),
    ("A = 1)", 1, "a bracket ends that does not begin."),
    ("A = [1}", 1, "Expected ',' or ']'."),
    ("A = " + "[" * 51 + "]" * 51, 1, "brackets are in one another more than 50 deep."),
    ("A = " + "[" * 100_000, 1, "brackets are in one another more than 50 deep."),
    ("A = " + "'a' " * 1001, 1, "a string has more than 1000 pieces; write it in one."),
    ("A = 1e999", 1, "a number is complex, or too large."),
    ("A = [-1e999]", 1, "a number is complex, or too large."),
    ("A = 0x" + "f" * 2000, 1, "a number is complex, or too large."),
    ("A = 2j", 1, "a number is complex, or too large."),
    ("A = {[1]: 2}", 1, "unhashable type: 'list'."),
    ("A = f'plum'", 1, "a string with an f before it is no value."),
    ("A = [Rf'plum']", 1, "a string with an f before it is no value."),
    ("A = 'a' b'b'", 1, "\"'a'b'b'\" is no value: cannot mix bytes and nonbytes literals."),
    ("macro.value = 3", 1, "a macro needs a name: write NAME = value."),
    ("import", 1, f"here a name is missing. {SETTING}"),
    ("include plum", 1, f"malformed node or string 'plum'. {QUOTES}"),
    ("include 3", 1, "Expected file path as string."),
    (
        f"{'a' * 501} = 3",
        1,
        f"the name {'a' * 120!r}... (501 characters) is longer than 500 letters.",
    ),
    (
        f"A = @{'a/' * 250}ice()",
        1,
        f"the name {'a/' * 60!r}... (503 characters) is longer than 500 letters.",
    ),
    (
        "Cake:\n  layers = 1\n topping = 2",
        3,
        "unindent does not match any outer indentation level.",
    ),
    ("A = 1\n\x00", 2, "there is a NUL character."),
    ("A = 'a\x00b'", 1, "there is a NUL character."),
]


@pytest.mark.parametrize(("text", "line", "reason"), WRONG, ids=range(len(WRONG)))
def test_what_is_wrong_and_where(text, line, reason):
    with pytest.raises(errors.ConfigError) as caught:
        statements.parse(text, "'a.gin'")
    assert str(caught.value) == f"Cannot parse 'a.gin', line {line}: {reason}"


def test_a_binding_has_no_line():
    with pytest.raises(errors.ConfigError) as caught, config.gin_session([], ["FINE_TUNE = true"]):
        pass
    assert str(caught.value) == (
        "Cannot parse the binding 'FINE_TUNE = true': true is no value. Write True."
    )


def test_all_kinds_of_statements():
    text = (
        "import a.b as c  # first\nfrom a import b\ninclude 'x' \\\n  'y.gin'\n\n"
        "A = 'one' 'two'\nbig/kitchen.Cake.layers = [%A, {'k': @small/ice()}]\n"
        "Cake:\n  topping = @ice\n"
    )
    found = statements.parse(text, "'a.gin'")
    assert found == [
        Import("a.b", 1),
        Import("a.b", 2),
        Include("xy.gin", 3, 5),
        Binding("", "A", "", None),
        Binding("big", "kitchen.Cake", "layers", None),
        Binding("", "Cake", "topping", None),
    ]
    assert [statement.value for statement in found if isinstance(statement, Binding)] == [
        "onetwo",
        [Reference("", "A", is_macro=True), {"k": Reference("small", "ice")}],
        Reference("", "ice", is_called=False),
    ]
    used = statements.references([found[4].value, found[5].value])
    assert sorted(map(str, used)) == ["%A", "@ice", "@small/ice()"]
