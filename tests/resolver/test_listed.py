"""The list of a host's archives: what is downloaded is what it names, and what it lacks is not asked."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import tarfile

import pytest

from hub_estimator import errors, files
from hub_estimator.resolver import Cache, HostedResolver, Settings, resolve
from hub_estimator.resolver.listed import COMMENT
from hub_estimator.site.archive import pack
from tests.resolver.hosting import module_files, raw, read_folder, redirect, status, tar

FILES = module_files()
ARCHIVE = tar(FILES)
SHA256 = hashlib.sha256(ARCHIVE).hexdigest()
OTHER = "0" * 64
LINK = '</index.json>; rel="index"; type="application/json"'


@pytest.fixture
def fetch(cache_folder):
    settings = Settings(str(cache_folder), first_wait_secs=0.01, timeout_secs=2.0, attempts=2)
    return lambda url: resolve(url, [HostedResolver(Cache(settings.cache_folder), settings)])


def index(**versions):
    listed = {number[1:]: {"sha256": sha256} for number, sha256 in versions.items()}
    return json.dumps({"format": 1, "models": {"a/m": {"newest": 1, "versions": listed}}}).encode()


def asked(host):
    return [seen.path for seen in host.seen]


@pytest.mark.parametrize("path", ["/a/m/1", "/a/m/1/", "/a/m/1.tar.gz"])
def test_the_listed_archive_is_taken(host, fetch, path):
    url = host.serve(path, ARCHIVE, Link=LINK)
    host.serve("/index.json", index(v1=SHA256, v2=OTHER))
    assert read_folder(fetch(url)) == FILES
    assert asked(host) == [path, "/index.json"]


@pytest.mark.parametrize("path", ["/a/m/1", "/a/m/1.tar.gz"])
def test_another_archive_is_refused(host, fetch, path):
    url = host.serve(path, ARCHIVE, Link=LINK)
    host.serve("/index.json", index(v1=OTHER, v2=SHA256))
    with pytest.raises(errors.ListedDigestError) as caught:
        fetch(url)
    assert str(caught.value) == (
        f"The archive of {url} is not that of version 1 in the list of its host: its SHA-256 is "
        f"{SHA256}, and there is {OTHER}. Try again; if it stays so, tell who keeps the host."
    )
    host.serve("/index.json", index(v1=SHA256))
    assert read_folder(fetch(url)) == FILES  # nothing of it was kept


def test_a_list_below_the_root_of_the_host(host, fetch):
    url = host.serve("/hub/a/m/1", ARCHIVE, Link='</hub/index.json>; rel="index"')
    host.serve("/hub/index.json", index(v1=OTHER))
    with pytest.raises(errors.ListedDigestError):
        fetch(url)


def test_the_newest_version_is_told(host, fetch, caplog):
    url = host.serve("/a/m", ARCHIVE, Link=LINK)
    host.serve("/index.json", index(v1=OTHER, v2=SHA256))
    with caplog.at_level(logging.INFO, "hub_estimator"):
        fetch(url)
    assert caplog.messages[-1] == (
        f"{url} names no version: it is version 2, the newest now, which the cache keeps. Add the "
        "version to the handle to have the same one everywhere."
    )


def test_what_is_none_of_the_versions_is_refused(host, fetch):
    url = host.serve("/a/m", ARCHIVE, Link=LINK)
    host.serve("/index.json", index(v1=OTHER))
    with pytest.raises(
        errors.ListedDigestError, match="is not that of any of its versions in the list"
    ):
        fetch(url)


@pytest.mark.parametrize(
    "listed",
    [
        index(v2=OTHER),
        b'{"format": 1, "models": {}}',
        b'{"format": 1, "models": {"a/m": 3}}',
        b'{"format": 1, "models": {"a/m": {"versions": {"1": {"withdrawn": "x"}}}}}',
        b'{"format": 1, "models": {"a/m": {"versions": {"1": {"sha256": 3}}}}}',
    ],
)
def test_what_is_not_listed_is_not_checked(host, fetch, listed):
    url = host.serve("/a/m/1", ARCHIVE, Link=LINK)
    host.serve("/index.json", listed)
    assert read_folder(fetch(url)) == FILES


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (status(404), "There is no module at"),
        (status(200, b"<html>"), "Expecting value"),
        (status(200, b'{"format": 2, "models": {}}'), "it is of another format"),
        (status(200, b"[" * 100_000), "nested too deeply"),
        (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"), "after 2 attempts"),
    ],
)
def test_a_list_that_cannot_be_read_is_told(host, fetch, caplog, reply, reason):
    url = host.serve("/a/m/1", ARCHIVE, Link=LINK)
    host.replies["/index.json"] = reply
    assert read_folder(fetch(url)) == FILES
    told = f"{url} is not checked against the list of its host, which cannot be read: "
    assert caplog.messages[-1].startswith(told) and reason in caplog.messages[-1]


@pytest.mark.parametrize(
    "link",
    [
        "",
        "</index.json>; rel=next",
        "nonsense",
        '<https://elsewhere.invalid/index.json>; rel="index"',
        '<http://127.0.0.1:1/index.json>; rel="index"',
        '<file:///etc/passwd>; rel="index"',
        '<http://[/index.json>; rel="index"',
    ],
)
def test_other_hosts_are_asked_for_nothing(host, fetch, link, caplog):
    url = host.serve("/a/m/1", ARCHIVE, Link=link)
    assert read_folder(fetch(url)) == FILES
    assert asked(host) == ["/a/m/1"]
    assert not [text for text in caplog.messages if "checked" in text]


def test_the_list_is_that_of_where_the_archive_is(host, fetch):
    host.serve("/a/m/1", ARCHIVE, Link=LINK)
    host.serve("/index.json", index(v1=OTHER))
    host.replies["/old"] = redirect("/a/m/1")
    with pytest.raises(errors.ListedDigestError):
        fetch(host.url("/old"))


# --- hosts that name no list -----------------------------------------------------------------


@pytest.fixture(scope="module")
def marked(tmp_path_factory):
    """An archive as a site has it, which says so."""
    folder = tmp_path_factory.mktemp("marked")
    for name, data in FILES.items():
        (folder / "module" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "module" / name).write_bytes(data)
    return folder / "packed", pack(str(folder / "module"), str(folder / "packed")).sha256


@pytest.mark.parametrize(
    ("path", "index_path"),
    [
        ("/a/m/1.tar.gz", "/index.json"),
        ("/a/m/1", "/index.json"),
        ("/a/m.tar.gz", "/index.json"),
        ("/hub/a/m/1.tar.gz", "/hub/index.json"),
    ],
)
def test_an_archive_of_a_site_is_checked_against_the_list_beside_it(
    host, fetch, marked, path, index_path
):
    content, sha256 = marked[0].read_bytes(), marked[1]
    url = host.serve(path, content)
    host.serve(index_path, index(v1=OTHER))
    with pytest.raises(errors.ListedDigestError):
        fetch(url)
    host.serve(index_path, index(v1=sha256))
    assert read_folder(fetch(url)) == FILES
    assert asked(host)[1::2] == [index_path] * 2


def test_a_copy_of_it_elsewhere_is_taken(host, fetch, marked, caplog):
    """One question, at a place where a site would have its list, and no warning."""
    url = host.serve("/a/m/1.tar.gz", marked[0].read_bytes())
    assert read_folder(fetch(url)) == FILES
    assert asked(host) == ["/a/m/1.tar.gz", "/index.json"]
    assert not [text for text in caplog.messages if "checked" in text]


@pytest.mark.parametrize("path", ["/mine.tar.gz", "/a/M/1.tar.gz", "/a/m/01.tar.gz", "/1/2/3"])
def test_where_no_site_has_archives_nothing_is_asked(host, fetch, marked, path):
    assert read_folder(fetch(host.serve(path, marked[0].read_bytes()))) == FILES
    assert asked(host) == [path]


def test_signed_addresses_keep_their_secrets(host, fetch, marked):
    url = host.serve("/a/m/1.tar.gz", marked[0].read_bytes())
    host.replies["/index.json"] = status(403)
    assert read_folder(fetch(f"{url}?signature=abc")) == FILES
    assert [seen.query for seen in host.seen][-1] == ""


@pytest.mark.parametrize(
    "start",
    [
        {"comment": "x"},
        {"comment": COMMENT, "more": "x" * 2000},
        {"other": COMMENT},
        None,
    ],
)
def test_other_archives_make_nobody_ask(host, fetch, start):
    content = io.BytesIO()
    with tarfile.open(
        fileobj=content, mode="w:gz", format=tarfile.PAX_FORMAT, pax_headers=start
    ) as packed:
        for name, data in FILES.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            packed.addfile(member, io.BytesIO(data))
    assert read_folder(fetch(host.serve("/a/m/1.tar.gz", content.getvalue()))) == FILES
    assert asked(host) == ["/a/m/1.tar.gz"]


def test_an_archive_in_a_store_is_checked(bucket, marked):
    content, sha256 = marked[0].read_bytes(), marked[1]
    files.write_bytes(f"{bucket}/hub/a/m/1.tar.gz", content)
    files.write_bytes(f"{bucket}/hub/index.json", index(v1=OTHER))
    with pytest.raises(errors.ListedDigestError) as caught:
        resolve(f"{bucket}/hub/a/m/1.tar.gz")
    assert str(caught.value).startswith(f"The archive of {bucket}/hub/a/m/1.tar.gz is not that of ")
    files.write_bytes(f"{bucket}/hub/index.json", index(v1=sha256))
    assert read_folder(resolve(f"{bucket}/hub/a/m/1.tar.gz")) == FILES
    files.write_bytes(f"{bucket}/hub/index.json", b"{")
    files.write_bytes(f"{bucket}/hub/a/m/2.tar.gz", content)
    assert read_folder(resolve(f"{bucket}/hub/a/m/2.tar.gz")) == FILES
