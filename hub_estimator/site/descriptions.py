"""Descriptions in Markdown, as HTML that cannot do anything but be read."""

from __future__ import annotations

import importlib.util
import itertools
import re
from typing import Any

from hub_estimator import errors, texts

_BELOW_PAGE = 2  # the page's own headings are of the first two levels
_DEEPEST = 6
_SUMMARY = 160
_ADDRESS = re.compile(r"(https?://|mailto:|#)", re.IGNORECASE)


def are_possible() -> bool:
    """Whether what makes pages is installed."""
    return all(importlib.util.find_spec(name) is not None for name in ("jinja2", "markdown_it"))


def require() -> None:
    """Checks that pages can be made.

    Raises:
      errors.MissingExtraError: what makes them is not installed.
    """
    if not are_possible():
        raise errors.MissingExtraError(
            "Publishing makes pages, which needs: pip install 'hub_estimator[site]'."
        )


def as_html(text: str) -> str:
    """Returns a text in Markdown as HTML.

    It is CommonMark with tables. HTML in it is shown, not used; links lead to the web and to mail
    addresses alone; an image is a link to it, since pages load nothing from elsewhere.

    Args:
      text: whatever somebody wrote.
    """
    parser = _parser()
    tokens = parser.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(_DEEPEST, int(token.tag[1:]) + _BELOW_PAGE)}"
        if alignment := token.attrs.pop("style", ""):  # which the policy of the pages forbids
            token.attrSet("class", str(alignment).replace("text-align:", ""))
        for inner in token.children or ():
            if inner.type == "link_open":
                inner.attrSet("rel", "noopener noreferrer nofollow")
    return parser.renderer.render(tokens, parser.options, {})


def summary(text: str) -> str:
    """Returns the start of the first paragraph of a text in Markdown, as plain text."""
    tokens = _parser().parse(text)
    for opening, content in itertools.pairwise(tokens):
        if opening.type == "paragraph_open" and content.children:
            plain = "".join(
                child.content or " "
                for child in content.children
                if not child.type.startswith("link")
            )
            words = texts.one_line(plain)
            if words:
                return words if len(words) <= _SUMMARY else f"{words[: _SUMMARY - 1].rstrip()}…"
    return ""


def _parser() -> Any:
    from markdown_it import MarkdownIt

    parser: Any = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    parser.validateLink = lambda address: bool(_ADDRESS.match(address))
    return parser
