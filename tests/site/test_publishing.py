"""Publishing and withdrawing: what a site has after each, and what is refused before anything is."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil

import pytest

from hub_estimator import digests, errors
from hub_estimator.resolver import resolve
from hub_estimator.site import archive, pages
from hub_estimator.site.publishing import publish
from hub_estimator.site.site_folder import Site
from hub_estimator.site.withdrawing import withdraw
from tests.resolver.hosting import read_folder, tar
from tests.site.published import NAME
from tests.site.sites import check_whole

pytestmark = pytest.mark.one_tensorflow


@pytest.fixture
def site(tmp_path):
    return tmp_path / "site"


@pytest.fixture
def description(tmp_path):
    path = tmp_path / "about.md"
    path.write_text("Vectors of words.\n\n<script>x</script>")
    return path


def test_versions_come_one_after_another(module, site, description):
    first = publish(module, site, NAME, description=description)
    assert first.version.number == 1 and first.url == ""
    assert read_folder(resolve(first.archive)) == read_folder(module)
    assert first.version.module_sha256 == digests.of_module(str(module))
    page = (site / NAME / "1" / "index.html").read_text()
    assert "<p>Vectors of words.</p>" in page and "<script>x" not in page
    assert "float32 [?, 4]" in page and "no scope" in page
    check_whole(site)
    before = read_folder(site / NAME / "1") | {"a": (site / NAME / "1.tar.gz").read_bytes()}

    second = publish(module, site, NAME, url="https://models.example.com/")
    assert second.version.number == 2
    assert second.url == "https://models.example.com/acme/reviews-en/2"
    assert second.version.archive_sha256 == first.version.archive_sha256
    check_whole(site)
    after = read_folder(site / NAME / "1") | {"a": (site / NAME / "1.tar.gz").read_bytes()}
    assert {name for name in before if before[name] != after[name]} == {"index.html"}
    assert "There is a newer one" in (site / NAME / "1" / "index.html").read_text()

    assert publish(module, site, NAME, 7).version.number == 7
    assert publish(module, site, NAME, 5).url == "https://models.example.com/acme/reviews-en/5"
    assert publish(module, site, NAME).version.number == 8
    publish(module, site, "acme/other")
    check_whole(site)
    assert list(Site.open(site).models()) == ["acme/other", NAME]


def test_what_is_known_of_the_training_is_on_the_page(exported, site):
    made = publish(exported, site, NAME)
    assert made.version.training == {
        "step": 2000,
        "metrics": {"accuracy": 0.9},
        "parent": {"handle": "https://models.example.com/a/b/1", "sha256": "ab" * 32},
        "config": "MODULE = 'https://models.example.com/a/b/1'\n",
        "classes": {"": [["bad", 20], ["good", 30]]},
        "data": "test.csv, 50 examples",
    }
    assert [picture.title for picture in made.version.pictures] == ["Confusion matrix", "Roc"]
    assert (site / NAME / "1" / "picture-2.png").read_bytes().endswith(b"roc.png")
    check_whole(site)


def test_a_stable_path_is_what_it_leads_to(exported, site):
    (exported.parents[1] / "latest").symlink_to("1700000000")
    made = publish(exported.parents[1] / "latest" / "text", site, NAME)
    assert made.version.training["step"] == 2000


def test_an_archive_is_published_as_its_module(module, site, tmp_path):
    (tmp_path / "packed.tar.gz").write_bytes(tar(read_folder(module)))
    made = publish(tmp_path / "packed.tar.gz", site, NAME)
    assert made.version.archive_sha256 == publish(module, site, NAME).version.archive_sha256


def test_a_version_that_is_there_stays(module, site):
    publish(module, site, NAME, 3)
    before = read_folder(site)
    with pytest.raises(errors.VersionTakenError) as caught:
        publish(module, site, NAME, 3)
    assert str(caught.value) == (
        f"There is a version 3 of acme/reviews-en in {str(site)!r} already, and versions never change. "
        "Leave --version out for the next one, or give another number."
    )
    withdraw(site, NAME, 3, "x")
    with pytest.raises(errors.VersionTakenError):
        publish(module, site, NAME, 3)
    assert set(read_folder(site)) > set(before) - {f"{NAME}/3.tar.gz", f"{NAME}.tar.gz"}


def test_a_withdrawn_version_leaves_its_page(module, site):
    for _ in range(2):
        publish(module, site, NAME)
    page = withdraw(site, NAME, 2, " Wrong labels. <script>\n")
    assert page == str(site / NAME / "2")
    text = (site / NAME / "2" / "index.html").read_text()
    assert "Wrong labels. &lt;script&gt;</p>" in text
    check_whole(site)
    listed = json.loads((site / "index.json").read_bytes())["models"][NAME]
    assert listed["newest"] == 1
    assert listed["versions"]["2"]["withdrawn"] == "Wrong labels. <script>"
    withdraw(site, NAME, 2, "another reason")  # the first one counts
    assert (site / NAME / "2" / "index.html").read_text() == text
    withdraw(site, NAME, 1, "Both.")
    check_whole(site)
    assert publish(module, site, NAME).version.number == 3
    check_whole(site)


def test_a_reason_that_is_no_text_is_written_as_one(module, site):
    publish(module, site, NAME)
    withdraw(site, NAME, 1, "wrong \udcff")
    assert "wrong \\udcff" in (site / NAME / "1" / "index.html").read_text()
    check_whole(site)


def test_pages_that_are_lost_or_of_another_release_are_made_again(module, site, monkeypatch):
    for _ in range(2):
        publish(module, site, NAME)
    first = site / NAME / "1" / "index.html"
    text = first.read_text()
    first.unlink()
    publish(module, site, "acme/other")
    assert first.read_text() == text
    monkeypatch.setattr(pages, "__version__", "99.0")
    publish(module, site, "acme/other")
    assert 'content="hub_estimator 99.0"' in first.read_text()
    check_whole(site)


def test_what_cannot_be_withdrawn(module, site):
    publish(module, site, NAME)
    with pytest.raises(errors.VersionNotFoundError) as caught:
        withdraw(site, NAME, 2, "x")
    assert str(caught.value) == (
        f"There is no version 2 of acme/reviews-en in {str(site)!r}. There is: 1."
    )
    with pytest.raises(errors.VersionNotFoundError, match=r"There is: none\.$"):
        withdraw(site, "acme/other", 1, "x")
    with pytest.raises(errors.SiteSettingError) as caught:
        withdraw(site, NAME, 1, " ")
    assert str(caught.value) == (
        "The reason of a withdrawal has 1 characters. Say why in 1 to 2000: its page tells those who "
        "used it."
    )
    with pytest.raises(errors.SiteError, match="is no site: it has no site.json"):
        withdraw(site / "acme", NAME, 1, "x")


def test_a_site_is_not_made_in_a_module_nor_of_one_in_a_site(module, site, tmp_path):
    (tmp_path / "link").symlink_to(module)
    for place in (module, module / "assets" / "site", tmp_path / "link" / "site"):
        with pytest.raises(errors.OutputIsInputError, match="The site .* is (in )?the module"):
            publish(module, place, NAME)
    shutil.copytree(module, site / "module")
    with pytest.raises(errors.OutputIsInputError, match="The module .* is in the site"):
        publish(site / "module", site, NAME)
    assert os.listdir(site) == ["module"] and not (module / "site.json").exists()


def test_a_folder_of_something_else_is_no_site(module, site):
    site.mkdir()
    (site / "index.html").write_text("mine")
    with pytest.raises(errors.SiteError) as caught:
        publish(module, site, NAME)
    assert str(caught.value) == (
        f"{str(site)!r} is no site, and not empty: it holds index.html. Choose an empty folder, or one "
        "that is not there."
    )
    assert os.listdir(site) == ["index.html"] and (site / "index.html").read_text() == "mine"
    with pytest.raises(errors.SiteError, match="is no folder. Choose another place for the site"):
        publish(module, site / "index.html", NAME)
    with pytest.raises(errors.MissingExtraError) as caught:
        publish(module, "gs://bucket/site", NAME)
    assert str(caught.value) == (
        "'gcs://bucket/site' needs a library that reaches gcs://: pip install gcsfs."
    )
    with pytest.raises(errors.SiteError, match="The path of the site is empty"):
        publish(module, "", NAME)


def test_what_is_no_module_is_refused_before_a_site_is_made(tmp_path, site, module):
    (tmp_path / "empty").mkdir()
    with pytest.raises(errors.NotAModuleError):
        publish(tmp_path / "empty", site, NAME)
    with pytest.raises(errors.HandleNotFoundError):
        publish(tmp_path / "missing", site, NAME)
    (module / "saved_model.pb").write_bytes(b"broken")
    with pytest.raises(errors.BrokenModuleError):
        publish(module, site, NAME)
    for name in ("../x/y", "acme/..", "Acme/x"):
        with pytest.raises(errors.InvalidModelNameError):
            publish(module, site, name)
    with pytest.raises(errors.InvalidModelNameError):
        publish(module, site, NAME, 0)
    assert not site.exists()


def test_a_module_that_is_swapped_meanwhile_is_told(module, site, monkeypatch):
    pack = archive.pack

    def swapped(folder, target):
        (module / "assets").mkdir(exist_ok=True)
        (module / "assets" / "new.txt").write_text("new")  # by another program
        return pack(folder, target)

    monkeypatch.setattr(archive, "pack", swapped)
    with pytest.raises(errors.BrokenModuleError) as caught:
        publish(module, site, NAME)
    assert str(caught.value) == (
        f"The module {str(module)!r} changes while it is published. Publish again once it is whole."
    )
    assert sorted(path.name for path in site.iterdir()) == [".publishing.lock", "site.json"]


def test_a_description_is_a_text(module, site, tmp_path, description):
    with pytest.raises(errors.DataFileNotFoundError) as caught:
        publish(module, site, NAME, description=tmp_path / "x.md")
    assert str(caught.value) == (
        f"There is no description {str(tmp_path / 'x.md')!r}. Give a Markdown file."
    )
    description.write_bytes(b"\xff\xfe")
    with pytest.raises(errors.SiteSettingError) as caught:
        publish(module, site, NAME, description=description)
    assert str(caught.value) == (
        f"The description {str(description)!r} is not UTF-8. Give a Markdown file in UTF-8."
    )
    description.write_bytes(b"x" * (1 << 20) + "é".encode())  # cut within a character
    with pytest.raises(errors.SiteSettingError) as caught:
        publish(module, site, NAME, description=description)
    assert str(caught.value) == (
        f"The description {str(description)!r} has more than 1,048,576 bytes. Give a shorter one."
    )
    with pytest.raises(errors.NotAFileError):
        publish(module, site, NAME, description="/dev/zero")
    assert not site.exists()


@pytest.mark.parametrize(
    "url",
    [
        *("", "models.example.com", "ftp://x", "https://", "https://a b", "javascript:x"),
        *(
            "https://user:secret@x",
            "https://x/?q",
            'https://x/"><script>',
            "https://x/#y",
            "https://x\n",
        ),
    ],
)
def test_an_address_is_one_of_the_web(module, site, url):
    with pytest.raises(
        errors.SiteSettingError, match="cannot be the address of a site. Write it as"
    ):
        publish(module, site, NAME, url=url)
    assert not site.exists()


# --- a site from a stranger ----------------------------------------------------------------------


@pytest.fixture
def strange(module, site):
    publish(module, site, NAME)
    return site


def damaged(strange, path, change):
    content = json.loads((strange / path).read_bytes())
    (strange / path).write_text(json.dumps(change(content)))


@pytest.mark.parametrize(
    "change",
    [
        lambda about: about | {"name": "acme/other"},
        lambda about: about | {"name": "../../x"},
        lambda about: about | {"number": 2},
        lambda about: about | {"number": "1"},
        lambda about: about | {"format": 2},
        lambda about: about | {"archive_sha256": "x"},
        lambda about: about | {"pictures": [{"file": "../../x", "title": "x"}]},
        lambda about: about | {"pictures": [{"file": "x"}]},
        lambda about: about | {"pictures": 3},
        lambda about: about | {"text": "\ud800"},
        lambda about: about | {"text": None},
        lambda about: about | {"about": {}},
        lambda about: about | {"training": 3},
        lambda about: {},
        lambda about: [],
    ],
)
def test_a_record_that_is_none_is_named(strange, module, change):
    damaged(strange, f"{NAME}/1/version.json", change)
    with pytest.raises(errors.SiteError, match=r"version\.json"):
        publish(module, strange, "acme/other")


def test_links_lead_nowhere(strange, module, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    for path in ("other", f"{NAME}/3", "acme/images", ".publishing.lock", f"{NAME}/1/version.json"):
        place = strange / path
        if place.exists():
            place.unlink()
        place.symlink_to(outside)
        with pytest.raises(errors.SiteError, match="is a link, which a site does not have there"):
            publish(module, strange, "acme/images")
        place.unlink()
        if path.endswith("version.json"):
            break
    assert os.listdir(outside) == []


@pytest.mark.parametrize("path", ["index.html", "site.css", "index.json", f"{NAME}/index.html"])
def test_a_link_in_the_place_of_a_page_is_replaced(strange, module, tmp_path, path):
    (tmp_path / "mine").write_text("mine")
    (strange / path).unlink()
    (strange / path).symlink_to(tmp_path / "mine")
    publish(module, strange, NAME)
    check_whole(strange)
    assert (tmp_path / "mine").read_text() == "mine"


def test_the_newest_link_leads_only_to_an_archive(strange, module, tmp_path):
    link = strange / f"{NAME}.tar.gz"
    link.unlink()
    link.symlink_to("/etc/passwd")
    publish(module, strange, NAME)
    check_whole(strange)
    link.unlink()
    link.write_text("somebody's")
    with pytest.raises(errors.SiteError, match="is no link to the newest archive. Remove it"):
        publish(module, strange, NAME)


def test_a_named_pipe_does_not_wait(strange, module):
    (strange / NAME / "1" / "version.json").unlink()
    os.mkfifo(strange / NAME / "1" / "version.json")
    with pytest.raises(errors.SiteError, match="is not what a site has there"):
        publish(module, strange, NAME)


def test_what_others_put_beside_stays(strange, module):
    (strange / "robots.txt").write_text("x")
    (strange / NAME / "notes").mkdir()
    (strange / "Images").mkdir()
    publish(module, strange, NAME)
    assert (strange / "robots.txt").exists() and (strange / NAME / "notes").exists()
    assert len(Site.open(strange).models()) == 1


# --- the pages follow from the records -----------------------------------------------------------


def test_what_is_missing_is_made_again(strange, module):
    for path in [*strange.rglob("*.html"), strange / "index.json", strange / "site.js"]:
        path.unlink()
    publish(module, strange, "acme/other")
    check_whole(strange)


def test_records_are_read_as_they_were_written(exported, site):
    made = publish(exported, site, NAME).version
    assert Site.open(site).versions(NAME) == [made]
    assert made == dataclasses.replace(made)
