"""The list of a host's archives: what is downloaded is what it names, and what it lacks is not asked."""

from __future__ import annotations

import hashlib
import json
import logging

import pytest

from hub_estimator import errors
from hub_estimator.resolver import Cache, HostedResolver, Settings, resolve
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
