"""Descriptions of whoever wrote them: nothing in them acts, loads or hides."""

from __future__ import annotations

import html.parser

import pytest

from hub_estimator.site import descriptions


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "a <b onclick=x>b</b>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt&#58;alert(1))",
        "[x](data:text/html,<script>alert(1)</script>)",
        "[x](vbscript:x)",
        "![x](https://elsewhere.example/x.png)",
        "![x](data:image/png;base64,AAAA)",
        '<https://a.example/"onmouseover=alert(1)>',
        '[x]: https://a.example/"onclick=x\n\n[x]',
        "<iframe src=//elsewhere.example></iframe>",
        '```"><script>\n</script>\n```',
        "<!-- --><style>*{display:none}</style>",
    ],
)
def test_nothing_acts_or_loads(text):
    found = Tags()
    found.feed(descriptions.as_html(text))
    assert found.tags <= {"p", "a", "code", "pre", "strong", "em"}
    assert set(found.attributes) <= {"href", "rel", "class"}
    assert all(name.startswith("language-") for name in found.attributes.get("class", []))
    assert all(address.startswith("https://") for address in found.attributes.get("href", []))


class Tags(html.parser.HTMLParser):
    """The tags of HTML, and the values of each attribute."""

    def __init__(self):
        super().__init__()
        self.tags = set()
        self.attributes = {}

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.setdefault(name, []).append(value)


def test_markdown_is_shown_below_the_headings_of_the_page():
    html = descriptions.as_html("# Title\n\nText *x* `y`.\n\n| a |\n|---|\n| 1 |\n\n###### Low\n")
    assert "<h3>Title</h3>" in html and "<h6>Low</h6>" in html
    assert "<em>x</em>" in html and "<code>y</code>" in html and "<td>1</td>" in html


def test_columns_are_aligned_without_a_style():
    html = descriptions.as_html("| a | b | c |\n|--:|:-:|:--|\n| 1 | 2 | 3 |\n")
    assert '<td class="right">1</td>\n<td class="center">2</td>\n<td class="left">3</td>' in html
    assert "style" not in html


def test_links_lead_to_the_web_without_saying_from_where():
    html = descriptions.as_html("[x](https://a.example/?a=1&b=2)")
    assert html == (
        '<p><a href="https://a.example/?a=1&amp;b=2" rel="noopener noreferrer nofollow">x</a></p>\n'
    )


@pytest.mark.parametrize(
    ("text", "summary"),
    [
        ("", ""),
        ("# Title only", ""),
        (
            "# Title\n\nFirst *words* of\nit, [here](https://x).\n\nMore.",
            "First words of it, here.",
        ),
        ("<b>x</b>", "<b>x</b>"),
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("x" * 200, "x" * 159 + "…"),
    ],
)
def test_the_summary_is_the_first_paragraph_in_plain_text(text, summary):
    assert descriptions.summary(text) == summary


def test_deep_nesting_ends():
    assert descriptions.as_html(">" * 20_000 + "x" + "\n\n" + "*" * 20_000 + "[" * 20_000)
