"""A password goes to the place that it was named for, and to no other."""

from __future__ import annotations

import pytest

from hub_estimator import errors
from hub_estimator.resolver import Cache, HostedResolver, Settings, resolve
from hub_estimator.resolver.logins import login_for
from tests.resolver.hosting import (
    Host,
    content,
    in_turn,
    module_files,
    read_folder,
    redirect,
    status,
    tar,
)

pytestmark = pytest.mark.one_tensorflow

FILES = module_files()
ARCHIVE = tar(FILES)
NETRC = """
machine a login me password of-a
machine b login me password of-b
machine 127.0.0.1 login me password secret
"""
# Basic authentication of "me:secret".
ME = "Basic bWU6c2VjcmV0"


@pytest.fixture
def netrc(tmp_path, monkeypatch):
    def write(text):
        path = tmp_path / "netrc"
        path.write_text(text)
        path.chmod(0o600)
        monkeypatch.setenv("NETRC", str(path))

    return write


@pytest.fixture
def fetch(cache_folder):
    chosen = Settings(str(cache_folder), first_wait_secs=0.01, timeout_secs=2.0, attempts=2)
    return lambda url: resolve(url, [HostedResolver(Cache(chosen.cache_folder), chosen)])


@pytest.mark.parametrize(
    ("named", "url", "password"),
    [
        # The place that the user named.
        ("https://a/m", "https://a/other", "of-a"),
        ("https://a/m", "https://A:443/m", "of-a"),
        ("http://a/m", "http://a:80/m", "of-a"),
        ("http://a:8080/m", "http://a:8080/m", "of-a"),
        ("http://a/m", "https://a/m", "of-a"),
        # Another port or scheme of its host.
        ("https://a/m", "https://a:8443/m", None),
        ("https://a/m", "http://a/m", None),
        ("https://a:8443/m", "http://a:8443/m", None),
        ("http://a:8080/m", "http://a:8081/m", None),
        # Another host.
        ("https://a/m", "https://b/m", "of-b"),
        ("http://x:99/m", "https://b:443/m", "of-b"),
        ("https://a/m", "https://b:8443/m", None),
        ("https://a/m", "http://b/m", None),
        ("https://a/m", "https://a.b/m", None),
        ("https://x/m", "https://x/m", None),
    ],
)
def test_what_netrc_says_of_a_host(netrc, named, url, password):
    netrc(NETRC)
    login = login_for(url, named)
    assert login == (password and ("me", password))


def test_what_netrc_says_of_any_host(netrc):
    netrc("machine a login me password of-a\ndefault login me password of-any\n")
    assert login_for("https://x/m", "https://x/m") == ("me", "of-any")
    assert login_for("https://y/m", "https://x/m") is None
    assert login_for("https://a/m", "https://x/m") == ("me", "of-a")


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("https://a/m", True),
        ("https://a:8443/m", False),
        ("http://a/m", False),
        ("https://b/m", False),
        ("https://me:else@b/m", False),
    ],
)
def test_the_login_of_a_handle(url, sent):
    assert login_for(url, "https://me:p%40ss@a/m") == (("me", "p@ss") if sent else None)


def test_the_login_of_a_handle_is_preferred(netrc):
    netrc(NETRC)
    assert login_for("https://a/m", "https://me:mine@a/m") == ("me", "mine")
    assert login_for("https://b/m", "https://me:mine@a/m") == ("me", "of-b")


def test_a_login_from_netrc(host, fetch, netrc):
    def guarded(handler):
        known = handler.headers.get("Authorization") == ME
        (content(ARCHIVE) if known else status(401))(handler)

    host.replies["/m/1"] = guarded
    with pytest.raises(errors.AccessDeniedError):
        fetch(host.url("/m/1"))
    netrc(NETRC)
    assert read_folder(fetch(host.url("/m/1"))) == FILES


@pytest.mark.parametrize("named", ["", "me:secret@"])
def test_no_login_goes_to_another_port(host, fetch, netrc, named):
    netrc(NETRC)
    with Host() as other:
        url = other.serve("/there", ARCHIVE)
        host.replies["/m/1"] = redirect("/m/2")
        host.replies["/m/2"] = redirect(url)
        assert read_folder(fetch(host.url("/m/1").replace("://", f"://{named}"))) == FILES
        assert [seen.headers.get("Authorization") for seen in host.seen] == [ME, ME]
        assert [seen.headers.get("Authorization") for seen in other.seen] == [None]


def test_a_login_comes_again_with_each_attempt(host, fetch, netrc):
    netrc(NETRC)
    host.replies["/m/1"] = in_turn(status(503), content(ARCHIVE))
    assert read_folder(fetch(host.url("/m/1"))) == FILES
    assert [seen.headers.get("Authorization") for seen in host.seen] == [ME, ME]
