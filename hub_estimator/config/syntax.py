"""What is wrong with the text of a configuration, before and in the place of what gin says."""

from __future__ import annotations

import io
import re
import tokenize

from hub_estimator import errors, texts

# No configuration that is meant to be one comes near these; without them a small file takes gin,
# Python's parser or its stack beyond what they can do.
_DEEPEST = 50
_MOST_PIECES = 1000  # of one string: each is parsed anew with all that are before it

# What Python's tokenizer says, and what we say.
_SHAPES = {
    "EOF in multi-line statement": "a bracket does not end",
    "EOF in multi-line string": "a string in three quotes does not end",
    "unterminated triple-quoted": "a string in three quotes does not end",
    "unterminated string": "a string does not end; its line has one quote too few or many",
}
_F_STRING = re.compile(r"[A-Za-z]*[fF]")
_BEGINS, _ENDS = "([{", ")]}"
_FAILED_TOKEN = re.compile(r"Failed to parse token '(?P<token>.*)'\Z", re.DOTALL)
_WHERE_IN_TOKEN = re.compile(r" \(<unknown>, line \d+\)|(?<=malformed node or string).*")
# What gin says, by its start, the longer before the shorter; and what we say.
_COLON = "a setting is written NAME = value, with no colon."
_REASONS = {
    "Couldn't parse statement": "this is no setting, which is written NAME = value.",
    "Expected '='.  Got": _COLON,
    "Expected newline.  Got": _COLON,
    "Expected newline": "there is something after the value; a setting is one value.",
    "Unable to parse value": "here a value is missing: a text in quotes, a number, True, False, None, "
    "a list, a dict, @part or %MACRO.",
    "Unexpected token": "here a name is missing. A setting is written NAME = value.",
}
# How other languages write what Python calls so.
_PYTHON = {
    **dict.fromkeys(("true", "yes", "on"), "True"),
    **dict.fromkeys(("false", "no", "off"), "False"),
    **dict.fromkeys(("none", "null", "nil", "undefined"), "None"),
}


def place(where: str, line: int | None) -> str:
    """Returns where something is, for messages: `'a.gin', line 3`.

    Args:
      where: what the text is called; a file's path in quotes.
      line: the line; what is no file has none that means anything.
    """
    return f"{where}, line {line}" if line and where.startswith(("'", '"')) else where


def check_shape(text: str, where: str) -> None:
    """Checks that strings and brackets end, and that there are not too many in one another."""
    opened: list[int] = []  # the lines of the brackets that are open
    line = text.count("\n", 0, max(text.find("\0"), 0)) + 1
    pieces = 0
    try:
        if "\0" in text:
            raise SyntaxError("there is a NUL character")
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            line = token.start[0]
            _check_bracket(token, opened)
            if token.type not in (tokenize.NL, tokenize.COMMENT):
                pieces = pieces + 1 if _is_string(token) else 0
            if pieces > _MOST_PIECES:
                raise SyntaxError(f"a string has more than {_MOST_PIECES} pieces; write it in one")
        return
    except tokenize.TokenError as error:
        reason, (line, _) = error.args
        if "EOF in multi-line statement" in reason:
            line = (opened or [line])[-1]
        cause: Exception = error
    except SyntaxError as error:
        reason, line, cause = error.msg, error.lineno or line, error
    known = [own for start, own in _SHAPES.items() if start in reason]
    reason = known[0] if known else _without_period(reason)
    raise errors.ConfigError(f"Cannot parse {place(where, line)}: {reason}.") from cause


def _check_bracket(token: tokenize.TokenInfo, opened: list[int]) -> None:
    """Adds the line of a bracket that begins, and takes away that of one that ends."""
    if token.type != tokenize.OP:
        return
    if token.string in _BEGINS:
        opened.append(token.start[0])
    elif token.string in _ENDS:
        if not opened:
            raise SyntaxError("a bracket ends that does not begin")
        opened.pop()
    if len(opened) > _DEEPEST:
        raise SyntaxError(f"brackets are in one another more than {_DEEPEST} deep")


def _is_string(token: tokenize.TokenInfo) -> bool:
    """Whether a token is a string that is a value."""
    if token.type == tokenize.ERRORTOKEN and token.string[0] in "'\"":
        raise SyntaxError("unterminated string literal")  # as newer Pythons say
    is_string = token.type == tokenize.STRING
    if tokenize.tok_name[token.type] == "FSTRING_START" or (
        is_string and _F_STRING.match(token.string)
    ):
        raise SyntaxError("a string with an f before it is no value")
    return is_string


def reason_of(error: Exception) -> str:
    """Returns what gin's parser says, with what to write instead where that is known."""
    message = error.msg if isinstance(error, SyntaxError) else str(error)
    failed = _FAILED_TOKEN.search(message)
    if failed:
        return _word_reason(failed["token"], message)
    reason = _without_period(message.partition("\n")[0])
    known = [own for start, own in _REASONS.items() if reason.startswith(start)]
    return known[0] if known else f"{reason}."


def _word_reason(token: str, message: str) -> str:
    if token.lstrip("-").isidentifier():
        meant = _PYTHON.get(token.lower())
        if meant:
            return f"{token} is no value. Write {meant}."
        return (
            f"malformed node or string {texts.shown(token)}. A string needs quotes, as in "
            "\"NAME = 'text'\"."
        )
    reason = _WHERE_IN_TOKEN.sub("", message.partition("\n")[0])
    return f"{texts.shown(token)} is no value: {_without_period(reason)}."


def _without_period(text: str) -> str:
    return text.rstrip().rstrip(".")
