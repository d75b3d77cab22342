"""Pages and the feed: whole, escaped, and loading nothing from elsewhere."""

from __future__ import annotations

import dataclasses
import html.parser
import re
import xml.etree.ElementTree

import pytest

from hub_estimator import errors
from hub_estimator.format.description.describe import describe
from hub_estimator.site import module_facts, pages
from hub_estimator.site.records import Picture, Withdrawal
from tests.site import published
from tests.site.published import NAME

pytestmark = pytest.mark.one_tensorflow

HOSTILE = "</pre></script>\"'><script>alert(1)</script><img src=https://e.example/x>{{ 7*7 }}"
VOID = {"meta", "link", "input", "br", "img"}


class Page(html.parser.HTMLParser):
    """A page: checks that its tags fit, and keeps its text and what it leads to."""

    def __init__(self, text: str):
        super().__init__()
        self.open, self.text, self.tags, self.loads, self.ids = [], "", [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        found = dict(attrs)
        assert not [name for name in found if name.startswith("on") or name == "style"]
        self.ids += [found["id"]] if "id" in found else []
        if tag in ("script", "img", "link"):
            self.loads.append(found.get("src") or found["href"])
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        assert "script" not in self.open, "no script is in a page"
        self.text += data


def all_pages(versions, url="", name=NAME):
    made = pages.Pages(url, {name: versions})
    return [
        made.site(),
        made.model(name, versions),
        *(made.version(version, versions) for version in versions),
    ]


WITHDRAWN = published.version(2, withdrawal=Withdrawal("Wrong labels.", "2026-02-01T00:00:00Z"))
VERSIONS = [published.version(3), WITHDRAWN, published.version(1)]


def test_each_page_is_whole_and_loads_only_from_the_site():
    for text in all_pages(VERSIONS, "https://models.example.com"):
        page = Page(text)
        assert text.startswith("<!doctype html>\n") and text.endswith("</html>\n")
        assert len(page.ids) == len(set(page.ids))
        assert all(
            re.fullmatch(r"(\.\./)*(site\.css|site\.js|feed\.xml)", path) for path in page.loads
        )
        assert [tag for tag, _ in page.tags].count("h1") == 1
        [policy] = [about["content"] for _, about in page.tags if "http-equiv" in about]
        assert policy == (
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
            "base-uri 'none'; form-action 'none'"
        )


def test_the_page_of_a_version_says_what_it_is():
    page = Page(all_pages(VERSIONS, "https://models.example.com/hub")[2])
    for text in [
        "acme/reviews-en version 3",
        'hub.Module("https://models.example.com/hub/acme/reviews-en/3", trainable=True)',
        'hub.KerasLayer("https://models.example.com/hub/acme/reviews-en/3", trainable=True)',
        "MODULE = 'https://models.example.com/hub/acme/reviews-en/3'",
        '"https://models.example.com/hub/acme/reviews-en/3?tf-hub-format=compressed"',
        "https://models.example.com/hub/acme/reviews-en/3.tar.gz",
        *("string [?]", "float32 [?, 128]", "2,560,000 parameters", "TensorFlow 2.21.0"),
        *("0.9074", "out/module", "cd" * 32, "MODULE = 'out/module'", "5,000 examples", "9,952"),
        *("words.txt", "lookup", f"{3:064x}", f"{1003:064x}", "Averaged word vectors"),
    ]:
        assert text in page.text, text


def test_a_module_that_hub_module_does_not_take_is_loaded():
    about = published.about(kind="TF1 SavedModel")
    text = Page(all_pages([published.version(about=about)])[2]).text
    assert "hub.load(" in text and "hub.Module(" not in text and "KerasLayer" not in text


@pytest.mark.parametrize(
    ("task", "command"),
    [
        ("text", "--gin_file=text_classification.gin"),
        ("image feature vector", "--gin_file=image_classification.gin"),
        ("image classification", ""),
    ],
)
def test_the_command_is_that_of_the_task(task, command):
    about = published.about(interfaces=[{"name": task, "missing": []}])
    text = Page(all_pages([published.version(about=about)])[2]).text
    assert ("--gin_file=" in text) == bool(command) and command in text


def test_a_version_of_which_no_training_is_known_has_a_page():
    about = published.about(variants=[], interfaces=[], assets=published.rows())
    bare = published.version(text="", training=None, about=about)
    text = Page(all_pages([bare])[2]).text
    assert "Training" not in text and "In place of others" not in text


def test_a_withdrawn_version_says_why_and_leads_to_the_newest():
    page = Page(all_pages(VERSIONS)[3])
    assert "This version was withdrawn on 2026-02-01" in page.text and "Wrong labels." in page.text
    addresses = [about.get("href", "") for _, about in page.tags]
    assert "../3/" in addresses and not [path for path in addresses if ".tar.gz" in path]


def test_an_older_version_leads_to_the_newest():
    assert "There is a newer one: version 3." in Page(all_pages(VERSIONS)[4]).text
    assert "newer" not in Page(all_pages(VERSIONS)[2]).text


def test_a_model_whose_versions_are_all_withdrawn_says_so():
    site, model, _ = all_pages([WITHDRAWN])
    assert "All versions of this model are withdrawn." in Page(model).text
    assert "withdrawn" in Page(site).text


def test_operations_that_reach_out_are_named_first():
    about = published.about()
    effect = {"kind": "writes files", "type": "WriteFile", "name": "log/WriteFile"}
    about["variants"][0]["side_effects"] = published.rows(effect)
    text = Page(all_pages([published.version(about=about)])[2]).text
    assert "writes files: WriteFile log/WriteFile (inference)" in text
    assert text.index("It does more than compute") < text.index("Use it")


def replaced(value):
    """A value with a hostile text in place of each text in it."""
    if isinstance(value, dict):
        return {name: replaced(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [replaced(inner) for inner in value]
    return HOSTILE if isinstance(value, str) else value


@pytest.mark.parametrize("withdrawn", [False, True])
def test_texts_of_others_are_shown_not_used(withdrawn):
    version = published.version(
        text=HOSTILE, about=replaced(published.about()), pictures=(Picture("picture-1.png", HOSTILE),),
        training=replaced(published.version().training) | {"data": HOSTILE},
        withdrawal=Withdrawal(HOSTILE, "2026-02-01T00:00:00Z") if withdrawn else None,
    )  # fmt: skip
    for text in all_pages([version]):
        page = Page(text)
        own = {"../../../site.css", "../../site.css", "site.css", "picture-1.png"}
        own |= {path.replace("css", "js") for path in own} | {
            f"{root}feed.xml" for root in ("", "../../", "../../../")
        }
        assert set(page.loads) <= own
        assert "49" not in page.text
    made = pages.Pages("", {NAME: [version]})
    assert len(xml.etree.ElementTree.fromstring(made.feed())) == 7


def test_the_feed_is_atom():
    made = pages.Pages("https://models.example.com", {NAME: VERSIONS})
    names = {"a": "http://www.w3.org/2005/Atom"}
    feed = xml.etree.ElementTree.fromstring(made.feed())
    assert feed.get("{http://www.w3.org/XML/1998/namespace}base") == "https://models.example.com/"
    assert feed.find("a:updated", names).text == "2026-02-01T00:00:00Z"
    entries = feed.findall("a:entry", names)
    assert [entry.find("a:title", names).text for entry in entries] == [
        "acme/reviews-en, version 2: withdrawn",
        "acme/reviews-en, version 3",
        "acme/reviews-en, version 1",
    ]
    assert entries[0].find("a:summary", names).text == "Wrong labels."
    ids = [entry.find("a:id", names).text for entry in entries]
    assert len(set(ids)) == 3 and all(each.startswith("urn:uuid:") for each in ids)
    assert entries[1].find("a:link", names).get("href") == "acme/reviews-en/3/"


def test_a_control_character_does_not_break_the_feed():
    why = Withdrawal("a\x00b\x1b[31m", "2026-02-01T00:00:00Z")
    version = dataclasses.replace(WITHDRAWN, withdrawal=why)
    xml.etree.ElementTree.fromstring(pages.Pages("", {NAME: [version]}).feed())


def test_an_empty_site_has_a_page_and_a_feed():
    made = pages.Pages("", {})
    assert "Nothing is published yet." in Page(made.site()).text
    xml.etree.ElementTree.fromstring(made.feed())


def test_what_a_page_cannot_be_made_of_is_named():
    version = published.version(about={"kind": "x"})
    with pytest.raises(errors.SiteError) as caught:
        all_pages([version])
    assert str(caught.value) == (
        "The page of the models cannot be made of a version.json: 'dict object' has no attribute "
        "'totals'. Restore that file, or remove the folder that it is in."
    )


def test_of_a_module_of_very_many_signatures_a_page_has_some(made_module):
    described = describe(str(made_module))
    [variant] = described.variants
    [signature] = variant.signatures
    many = dataclasses.replace(
        signature,
        inputs=signature.inputs * 203,
        outputs=signature.outputs * 203,
        settings=("training",) * 300,
    )
    variant = dataclasses.replace(
        variant, signatures=(signature,) * 204, functions=(many,), library_operations=("X",) * 300
    )
    facts = module_facts.of(dataclasses.replace(described, variants=(variant,) * 23))
    assert len(facts["variants"]) == 20 and facts["more_variants"] == 3
    assert len(facts["variants"][0]["signatures"]) == 200
    assert len(facts["variants"][0]["library_operations"]) == 200
    [function] = facts["variants"][0]["functions"]
    assert {len(function[name]) for name in ("inputs", "outputs", "settings")} == {200}
    facts["variants"], version = facts["variants"][:1], published.version(about=facts)
    text = Page(pages.Pages("", {NAME: [version]}).version(version, [version])).text
    for said in ("and 6 more tensors", "and 4 more signatures", "and 3 more graph variants"):
        assert said in text
