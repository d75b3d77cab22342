"""The macros of gin files, with what the files say of them in comments."""

from __future__ import annotations

import dataclasses
import io
import tokenize
from collections.abc import Sequence

from hub_estimator.config import bindings
from hub_estimator.config.parsing import REQUIRED, read_all


@dataclasses.dataclass(frozen=True)
class Macro:
    """A macro.

    Attributes:
      name: its name.
      value: its value as a gin file has it; empty where somebody must give it one.
      comment: what is beside it in the file that set it last and says something; or empty.
    """

    name: str
    value: str
    comment: str


def macros(
    gin_files: Sequence[str], given_bindings: Sequence[str], allowed_imports: Sequence[str]
) -> list[Macro]:
    """Returns the macros of a configuration, which need not be complete, in alphabetic order.

    Args:
      gin_files: see `gin_session`.
      given_bindings: see `gin_session`.
      allowed_imports: see `gin_session`.

    Raises:
      errors.ConfigError: something is wrong with a text.
    """
    import gin

    gin.clear_config()
    try:
        reader = read_all(gin_files, given_bindings, allowed_imports)
        comments: dict[str, str] = {}
        for file in reader.files:
            comments |= _comments(file.text)
        return [
            Macro(
                str(binding),
                "" if binding.value == REQUIRED else binding.value_text,
                comments.get(str(binding), ""),
            )
            for binding in sorted(bindings.bound(), key=str)
            if binding.is_macro
        ]
    finally:
        gin.clear_config()


def _comments(text: str) -> dict[str, str]:
    """Returns the comment at the end of each setting `NAME = value` that has one."""
    found: dict[str, str] = {}
    tokens: list[tokenize.TokenInfo] = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in (tokenize.NL, tokenize.NEWLINE):
            tokens.append(token)
            continue
        first = [token.string for token in tokens if token.type != tokenize.COMMENT][:2]
        if tokens and tokens[-1].type == tokenize.COMMENT and first[1:] == ["="]:
            found[first[0]] = tokens[-1].string.lstrip("# ").rstrip()
        tokens = tokens if token.type == tokenize.NL and first else []
    return found
