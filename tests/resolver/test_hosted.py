"""Downloads from real servers on loopback: what they may do, and how each failure is told."""

from __future__ import annotations

import gzip
import logging
import os
import re
import shutil
import ssl
import subprocess
import sys
import time

import pytest

import hub_estimator as hub
from hub_estimator import errors
from hub_estimator.resolver import (
    BucketResolver,
    Cache,
    HostedResolver,
    Settings,
    resolve,
    retrying,
)
from hub_estimator.resolver import download as downloading
from hub_estimator.resolver.contract import ResolverCase, ResolverContract
from hub_estimator.resolver.handle import Handle
from tests.resolver.hosting import (
    Host,
    content,
    in_turn,
    module_files,
    raw,
    read_folder,
    redirect,
    status,
    tar,
)

pytestmark = pytest.mark.one_tensorflow

FILES = module_files()
ARCHIVE = tar(FILES)


def settings(cache_folder, **changes) -> Settings:
    return Settings(str(cache_folder), **{"first_wait_secs": 0.01, "timeout_secs": 2.0, **changes})


@pytest.fixture
def fetch(cache_folder):
    """Resolves a URL with short waits."""

    def fetch(url, **changes):
        chosen = settings(cache_folder, **changes)
        return resolve(url, [HostedResolver(Cache(chosen.cache_folder), chosen)])

    return fetch


class TestHostedResolver(ResolverContract):
    @pytest.fixture
    def case(self, host, cache_folder):
        chosen = settings(cache_folder)
        resolver = HostedResolver(Cache(chosen.cache_folder), chosen)
        good = host.serve("/m/1", ARCHIVE)
        return ResolverCase(resolver, good, host.url("/m/2"), ("/a/folder", "gs://a/folder"))


def test_the_public_name_downloads_once(host):
    url = host.serve("/m/1", ARCHIVE)
    folder = hub.resolve(url)
    assert read_folder(folder) == FILES
    assert hub.resolve(url) == folder
    assert [(seen.path, seen.query) for seen in host.seen] == [("/m/1", "tf-hub-format=compressed")]


def test_a_query_that_is_there_is_kept(host, fetch):
    url = host.serve("/model.tar.gz", ARCHIVE)
    assert read_folder(fetch(url + "?raw=true&x=a%2Fb")) == FILES
    assert host.seen[0].query == "raw=true&x=a%2Fb&tf-hub-format=compressed"


def test_redirects_are_followed(host, fetch):
    host.serve("/far/archive", ARCHIVE)
    host.replies["/there"] = redirect("/far/archive", 307)
    host.replies["/m/1"] = redirect(host.url("/there"))
    assert read_folder(fetch(host.url("/m/1"))) == FILES


def test_a_redirect_loop_is_an_error(host, fetch):
    host.replies["/m/1"] = redirect("/m/1")
    with pytest.raises(
        errors.DownloadError, match="redirects more than 10 times. Check the handle, and"
    ):
        fetch(host.url("/m/1"))


def test_a_redirect_to_a_file_is_an_error(host, fetch):
    host.replies["/m/1"] = redirect("file:///etc/passwd")
    with pytest.raises(errors.DownloadError, match="No connection adapters were found"):
        fetch(host.url("/m/1"))


def test_an_archive_whose_url_allows_no_further_query(host, fetch):
    def signed(handler):
        (content(ARCHIVE) if handler.path == "/m.tgz?sig=1" else status(403))(handler)

    host.replies["/m.tgz"] = signed
    assert read_folder(fetch(host.url("/m.tgz?sig=1"))) == FILES


def test_a_plain_tar_and_one_without_length(host, fetch):
    assert read_folder(fetch(host.serve("/a", tar(FILES, "w")))) == FILES
    assert read_folder(fetch(host.serve("/b", ARCHIVE, length=-1))) == FILES
    labelled = host.serve("/c", ARCHIVE, Content_Encoding="x-gzip")
    assert read_folder(fetch(labelled)) == FILES


def test_an_archive_in_chunks(host, fetch):
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = b"%x\r\n%s\r\n1\r\n%s\r\n" % (len(ARCHIVE) - 1, ARCHIVE[:-1], ARCHIVE[-1:])
    cut, wrong = raw(head + chunks[:2000]), raw(head + chunks + b"zzz\r\n")
    host.replies["/m/1"] = in_turn(cut, wrong, raw(head + chunks + b"0\r\n\r\n"))
    assert read_folder(fetch(host.url("/m/1"))) == FILES
    assert len(host.seen) == 3


def test_the_bytes_asked_for_are_those_of_the_archive(host, fetch):
    fetch(host.serve("/m/1", ARCHIVE))
    assert host.seen[0].headers["Accept-Encoding"] == "identity"
    assert host.seen[0].headers["User-Agent"] == f"hub_estimator/{hub.__version__}"


def test_a_slow_server(host, fetch):
    url = host.serve("/m/1", ARCHIVE, piece=1000, pause_secs=0.02)
    assert read_folder(fetch(url)) == FILES


def test_a_server_that_stalls_is_given_up(host, fetch):
    url = host.serve("/m/1", ARCHIVE, piece=1000, pause_secs=30)
    start = time.monotonic()
    message = f"{url} cannot be downloaded after 2 attempts: .*timed out"
    with pytest.raises(errors.DownloadError, match=message):
        fetch(url, timeout_secs=0.2, attempts=2)
    assert time.monotonic() - start < 5


@pytest.mark.parametrize("code", [500, 502, 503, 429])
def test_passing_trouble_is_retried(host, fetch, code, caplog):
    host.replies["/m/1"] = in_turn(status(code), status(code), content(ARCHIVE))
    assert read_folder(fetch(host.url("/m/1"))) == FILES
    assert len(host.seen) == 3
    assert re.search(rf"Downloading \S+ again in \S+ s: the host answered {code}", caplog.text)


def test_retry_after_is_honoured(host, fetch):
    host.replies["/m/1"] = in_turn(status(503, Retry_After="1"), content(ARCHIVE))
    start = time.monotonic()
    fetch(host.url("/m/1"))
    assert 1 <= time.monotonic() - start < 3


def test_lasting_trouble_is_an_error(host, fetch):
    host.replies["/m/1"] = status(500)
    with pytest.raises(errors.DownloadError) as caught:
        fetch(host.url("/m/1"))
    assert str(caught.value) == (
        f"{host.url('/m/1')} cannot be downloaded after 4 attempts: the host answered "
        "500 Internal Server Error. Check the network (HTTPS_PROXY behind a proxy); what is in "
        "the cache works without: HUB_ESTIMATOR_OFFLINE=1."
    )
    assert len(host.seen) == 4


def test_no_network_is_an_error_within_seconds(cache_folder):
    with Host() as gone:
        url = gone.url("/m/1")
    start = time.monotonic()
    with pytest.raises(errors.DownloadError, match="4 attempts: .*Connection refused"):
        hub.resolve(url)
    assert time.monotonic() - start < 10


NOTHING = "There is no module at {url}: 127.0.0.1 answered %s. Check the handle and its version."
REFUSED = (
    "127.0.0.1 refuses {url}: it answered %s. Put the login for the machine 127.0.0.1 into your "
    ".netrc file, or ask its owner for access."
)
OTHER = "{url} cannot be downloaded: 127.0.0.1 answered %s. Check the handle."


@pytest.mark.parametrize(
    ("code", "kind", "message"),
    [
        (404, errors.HandleNotFoundError, NOTHING % "404 Not Found"),
        (410, errors.HandleNotFoundError, NOTHING % "410 Gone"),
        (401, errors.AccessDeniedError, REFUSED % "401 Unauthorized"),
        (403, errors.AccessDeniedError, REFUSED % "403 Forbidden"),
        (418, errors.DownloadError, OTHER % "418 I'm a Teapot"),
    ],
)
def test_a_refusal_is_told_at_once(host, fetch, cache_folder, code, kind, message):
    host.replies["/m/1"] = status(code)
    with pytest.raises(kind) as caught:
        fetch(host.url("/m/1"))
    assert str(caught.value) == message.format(url=host.url("/m/1"))
    assert isinstance(caught.value, OSError)
    assert len(host.seen) == 1
    key = Handle(host.url("/m/1")).key
    assert sorted(os.listdir(cache_folder)) == [f".{key}.failed", f".{key}.flock"]


def test_a_dropped_connection_is_resumed(host, fetch):
    body = tar(module_files(large=400_000))
    url = host.serve("/m/1", body, ranges=True, drop_after=[100_000, 150_000])
    assert read_folder(fetch(url)) == module_files(large=400_000)
    assert [seen.headers.get("Range") for seen in host.seen] == [
        None, "bytes=100000-", "bytes=250000-",
    ]  # fmt: skip
    assert host.seen[1].headers["If-Range"] == '"1"'


def test_a_dropped_connection_starts_again_where_ranges_are_not_served(host, fetch):
    url = host.serve("/m/1", ARCHIVE, drop_after=[1000, 2000])
    assert read_folder(fetch(url)) == FILES
    assert [seen.headers.get("Range") for seen in host.seen] == [None] * 3


def test_a_file_that_changes_between_two_attempts(host, fetch):
    old, new = tar(module_files(1, 50_000)), tar(module_files(2, 50_000))
    first = content(old, ranges=True, etag='"old"', drop_after=[20_000])
    host.replies["/m/1"] = in_turn(first, content(new, ranges=True, etag='"new"'))
    assert read_folder(fetch(host.url("/m/1"))) == module_files(2, 50_000)


def test_pieces_of_different_files_are_noticed(host, fetch, caplog):
    old, new = tar(module_files(1, 50_000), "w"), tar(module_files(2, 50_000), "w")
    old, new = gzip.compress(old), gzip.compress(new)
    size = max(len(old), len(new))  # the zeros after a gzip stream are allowed
    old, new = old.ljust(size, b"\0"), new.ljust(size, b"\0")
    first = content(old, ranges=True, etag="", drop_after=[20_000])
    host.replies["/m/1"] = in_turn(first, content(new, ranges=True, etag=""))
    assert read_folder(fetch(host.url("/m/1"))) == module_files(2, 50_000)
    assert "in one piece: its pieces do not fit" in caplog.text


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (status(416), "the file changed on the host meanwhile"),
        (status(206, b"x", Content_Range="bytes 5-5/9"), "the host sent another part than the one"),
    ],
)
def test_a_host_that_does_not_resume(host, fetch, caplog, reply, reason):
    first = content(ARCHIVE, ranges=True, drop_after=[1000])
    host.replies["/m/1"] = in_turn(first, reply, content(ARCHIVE))
    assert read_folder(fetch(host.url("/m/1"))) == FILES
    assert reason in caplog.text
    assert [seen.headers.get("Range") for seen in host.seen] == [None, "bytes=1000-", None]


def test_a_length_that_is_too_long(host, fetch):
    url = host.serve("/m/1", ARCHIVE, length=len(ARCHIVE) + 7)
    with pytest.raises(errors.DownloadError, match="4 attempts: .*7 more expected"):
        fetch(url)


def test_a_length_that_is_too_short(host, fetch):
    url = host.serve("/m/1", ARCHIVE, length=len(ARCHIVE) - 7)
    with pytest.raises(errors.BrokenArchiveError, match="it is damaged or cut short"):
        fetch(url)


def test_a_web_page_is_no_module(host, fetch):
    page = b"<!DOCTYPE html><html><body>Log in</body></html>"
    url = host.serve("/m/1", page, Content_Type="text/html")
    with pytest.raises(errors.BrokenArchiveError) as caught:
        fetch(url)
    assert str(caught.value) == (
        f"The archive of {url} is a web page, not a gzip or plain tar archive: check that the "
        "handle leads to a .tar.gz whose root is the module."
    )


def test_an_archive_without_a_module(host, fetch):
    with pytest.raises(errors.NotAModuleError) as caught:
        fetch(host.serve("/m/1", tar({"readme": b"x"})))
    assert str(caught.value) == (
        f"What {host.url('/m/1')} leads to is no module: at its root there is neither "
        "tfhub_module.pb nor saved_model.pb, but readme; pack the module with "
        "`tar -cz -C <folder of the module> .`."
    )
    with pytest.raises(errors.NotAModuleError, match="the module may be in its folder 'model'; "):
        fetch(host.serve("/m/2", tar(FILES, prefix="model/")))


@pytest.mark.parametrize("location", ["http://[::1", "//a:x/", "http://a:99999/", "http://[x]/?a"])
@pytest.mark.parametrize("code", [301, 303, 307])
def test_a_redirect_to_what_is_no_url(host, fetch, location, code):
    host.replies["/m/1"] = redirect(location, code)
    with pytest.raises(errors.DownloadError) as caught:
        fetch(host.url("/m/1"))
    assert str(caught.value) == (
        f"{host.url('/m/1')} redirects to {location.partition('?')[0]!r}, which is no URL. Check "
        "the handle, and where it redirects to."
    )


@pytest.mark.parametrize(
    "location",
    ["http://a..b/", "http://\xff/", "mailto:a", "http://a b/", "http://%/"],
)
def test_a_redirect_to_what_cannot_be_asked(host, fetch, location):
    host.replies["/m/1"] = redirect(location)
    with pytest.raises(errors.DownloadError):
        fetch(host.url("/m/1"), attempts=1)


def test_the_body_of_a_redirect_is_not_read(host, fetch):
    host.serve("/there", ARCHIVE)
    head = b"HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Encoding: gzip\r\n\r\n"
    host.replies["/m/1"] = raw(head, b"x" * 1_000_000, times=10_000)
    assert read_folder(fetch(host.url("/m/1"))) == FILES
    assert host.sent < 100_000_000


LINES = b"HTTP/1.1 200 OK\r\nAccept-Ranges: bytes\r\n"


@pytest.mark.parametrize(
    "header",
    [
        b"Content-Length: \xb2",
        b"Content-Length: -5",
        b"Content-Length: " + b"9" * 5000,
        b"Content-Length: 1, 2",
        b"Content-Encoding: gzip, br, \x1b[2J",
        b"ETag: " + b'"' * 60_000,
        b"X: " + b"x" * 70_000,
        b"\r\n".join([b"X: y"] * 200),
        b"no header at all",
    ],
)
def test_headers_that_mean_nothing(host, fetch, header):
    """They end in the archive, or in an error of ours that is short."""
    host.replies["/m/1"] = raw(LINES + header + b"\r\n\r\n" + ARCHIVE)
    try:
        assert read_folder(fetch(host.url("/m/1"), attempts=2)) == FILES
    except errors.HandleError as error:
        assert len(str(error)) < 600
        assert str(error).isprintable()


@pytest.mark.parametrize(
    "header",
    [b"Content-Range: bytes 1000-2/" + b"9" * 5000, b"Content-Range: \xb2", b"Content-Range: x"],
)
def test_a_range_that_means_nothing(host, fetch, header):
    first = content(ARCHIVE, ranges=True, drop_after=[1000])
    second = raw(b"HTTP/1.1 206 Partial Content\r\n" + header + b"\r\n\r\n" + ARCHIVE)
    host.replies["/m/1"] = in_turn(first, second, content(ARCHIVE))
    assert read_folder(fetch(host.url("/m/1"))) == FILES


@pytest.mark.parametrize(
    ("etag", "sent_back"),
    [('"ok"', '"ok"'), ('"a\r\n b"', None), ('W/"a"', None), ('"\x1b"', None)],
)
def test_only_a_plain_etag_is_sent_back(host, fetch, etag, sent_back):
    first = content(ARCHIVE, ranges=True, etag=etag, drop_after=[1000])
    host.replies["/m/1"] = in_turn(first, content(ARCHIVE))
    assert read_folder(fetch(host.url("/m/1"))) == FILES
    assert host.seen[1].headers["Range"] == "bytes=1000-"
    assert host.seen[1].headers.get("If-Range") == sent_back


def test_a_plain_tar_is_resumed_only_where_a_change_would_be_noticed(host, fetch):
    """It has no checksum: pieces of two files would go for one."""
    old, new = tar(module_files(1, 50_000), "w"), tar(module_files(2, 50_000), "w")
    first = content(old, ranges=True, etag="", drop_after=[20_000])
    host.replies["/m/1"] = in_turn(first, content(new, ranges=True, etag=""))
    assert read_folder(fetch(host.url("/m/1"))) == module_files(2, 50_000)
    assert "Range" not in host.seen[1].headers


def test_a_rest_that_is_more_than_the_rest(host, fetch, caplog):
    first = content(ARCHIVE, ranges=True, drop_after=[1000])
    end = f"{len(ARCHIVE) - 1}/{len(ARCHIVE)}".encode()
    head = b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 1000-" + end + b"\r\n\r\n"
    host.replies["/m/1"] = in_turn(first, raw(head, b"x" * 100_000), content(ARCHIVE))
    assert read_folder(fetch(host.url("/m/1"))) == FILES
    assert f"more than the announced {len(ARCHIVE)} bytes arrived." in caplog.text
    assert "Range" not in host.seen[2].headers


def test_a_wait_that_means_nothing(host, fetch):
    host.replies["/m/1"] = in_turn(status(503, Retry_After="\xb2"), content(ARCHIVE))
    assert read_folder(fetch(host.url("/m/1"))) == FILES


@pytest.mark.parametrize(
    "reply",
    [
        content(b"\x1f\x8b" + b"x" * 5_000_000, length=-1),
        raw(LINES + b"Content-Length: 100001\r\n\r\n"),  # what it announces is enough
    ],
)
def test_a_body_that_is_too_large(host, fetch, reply):
    host.replies["/m/1"] = reply
    url = host.url("/m/1")
    with pytest.raises(errors.UnsafeArchiveError) as caught:
        fetch(url, max_unpacked_bytes=100_000)
    assert str(caught.value) == (
        f"The archive of {url} has more than 100000 bytes: if it is to be trusted, raise the limit "
        "by HUB_ESTIMATOR_MAX_UNPACKED_BYTES."
    )


def test_a_body_that_trickles_is_given_up(host, fetch):
    url = host.serve("/m/1", ARCHIVE, piece=1, pause_secs=0.05)
    message = "after 2 attempts: only [0-9]+ bytes arrived in 0\\.[0-9] s. Check the network"
    with pytest.raises(errors.DownloadError, match=message):
        fetch(url, timeout_secs=0.1, attempts=2)


def test_a_host_that_begins_again_and_again(host, fetch):
    """What was here before is no headway."""
    body = os.urandom(3_000_000)
    url = host.serve("/m/1", body, drop_after=[2_500_000, 1_200_000] * 20)
    with pytest.raises(errors.DownloadError, match="after 4 attempts: "):
        fetch(url)
    assert len(host.seen) == 4


@pytest.mark.parametrize("code", [b"404", b"503", b"418"])
def test_what_a_host_says_is_shown_escaped_and_cut(host, fetch, caplog, code):
    host.replies["/m/1"] = raw(b"HTTP/1.1 " + code + b" \x1b]0;x\x07" + b"a" * 60_000 + b"\r\n\r\n")
    with pytest.raises(errors.HandleError) as caught:
        fetch(host.url("/m/1"), attempts=2)
    for text in (str(caught.value), *caplog.messages):
        assert text.isprintable()
        assert len(text) < 500
    assert r"\x1b]0;x\x07aaa" in str(caught.value)


def messages(error: BaseException | None) -> str:
    """What a traceback shows of an error and of those behind it."""
    seen = ""
    while error is not None:
        seen += f"{error!r} {error}\n"
        error = error.__cause__ or error.__context__
    return seen


def test_passwords_are_not_told(host, fetch, caplog, cache_folder):
    caplog.set_level(logging.INFO)
    url = host.serve("/m/1", ARCHIVE).replace("://", "://me:secret@")
    fetch(url)
    assert "Basic" in host.seen[0].headers["Authorization"]
    host.replies["/m/2"] = status(403)
    with pytest.raises(errors.AccessDeniedError) as caught:
        fetch(url.replace("/m/1", "/m/2"))
    told = caplog.text + messages(caught.value)
    told += "".join(path.read_text() for path in cache_folder.glob("*.txt"))
    assert "secret" not in told


@pytest.mark.parametrize("place", ["127.0.0.1:1/m", ":80/m", "a b/m", "a..b/m"])
def test_passwords_are_not_told_of_what_cannot_be_asked(fetch, place):
    with pytest.raises(errors.Error) as caught:
        fetch(Handle(f"http://me:secret@{place}"), attempts=1)
    assert "secret" not in messages(caught.value)


@pytest.mark.parametrize(
    "proxy", ["http://me:secret@127.0.0.1:1", "http://me:secret@[::1", "x://me:secret@a"]
)
def test_the_password_of_a_proxy_is_not_told(fetch, monkeypatch, proxy):
    monkeypatch.setenv("HTTP_PROXY", proxy)
    with pytest.raises(errors.DownloadError) as caught:
        fetch("http://modules.invalid/m", attempts=1)
    assert "secret" not in str(caught.value)


def test_a_proxy(host, fetch, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", host.url(""))
    host.serve("http://modules.invalid/m/1", ARCHIVE)
    assert read_folder(fetch("http://modules.invalid/m/1")) == FILES
    assert host.seen[0].headers["Host"] == "modules.invalid"


def test_the_login_of_a_proxy_is_for_the_proxy(host, fetch, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", host.url("").replace("://", "://me:secret@"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    host.serve("/there", ARCHIVE)
    host.replies["http://modules.invalid/m/1"] = redirect(host.url("/there"))
    assert read_folder(fetch("http://modules.invalid/m/1")) == FILES
    assert ["Proxy-Authorization" in seen.headers for seen in host.seen] == [True, False]


def test_log_lines_where_there_is_no_terminal(host, fetch, caplog):
    caplog.set_level(logging.INFO)
    url = host.serve("/m/1", ARCHIVE)
    fetch(url)
    assert f"Downloading {url}." in caplog.messages
    assert re.search(rf"Downloaded {url}: 7\.\d kB in \d\.\d s\.", caplog.text)


def test_log_lines_of_long_downloads(host, fetch, caplog, monkeypatch):
    monkeypatch.setattr(downloading, "_EVERY_SECS", 0.05)
    caplog.set_level(logging.INFO)
    url = host.serve("/m/1", ARCHIVE, piece=1000, pause_secs=0.03)
    fetch(url)
    assert re.search(rf"Downloading {url}: \d\.\d kB of 7\.\d kB\.", caplog.text)


def test_sizes_in_words():
    words = [downloading.readable(size) for size in (0, 999, 1000, 12_345_678, 5 * 10**13)]
    assert words == ["0 B", "999 B", "1.0 kB", "12.3 MB", "50.0 TB"]


def test_a_bar_where_it_is_asked_for(host, monkeypatch, capsys):
    monkeypatch.setenv("TFHUB_DOWNLOAD_PROGRESS", "1")
    hub.resolve(host.serve("/m/1", ARCHIVE))
    assert "100%" in capsys.readouterr().err


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    if not shutil.which("openssl"):
        pytest.skip("openssl, to make a certificate, is not installed")
    folder = tmp_path_factory.mktemp("certificate")
    made = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -keyout key.pem"
    names = ["-out", "cert.pem", "-addext", "subjectAltName=IP:127.0.0.1"]
    command = ["openssl", *made.split(" "), *names]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def secure_host(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    with Host(context) as host:
        host.serve("/m/1", ARCHIVE)
        yield host


def test_an_untrusted_certificate(secure_host):
    with pytest.raises(errors.CertificateError) as caught:
        hub.resolve(secure_host.url("/m/1"))
    assert re.fullmatch(
        re.escape(f"{secure_host.url('/m/1')}: the certificate of its host is not trusted (")
        + "self.signed certificate"
        + re.escape("). Set REQUESTS_CA_BUNDLE to the file of your authority's certificates; or, ")
        + "for a host that you trust without, TFHUB_DISABLE_CERT_VALIDATION=true.",
        str(caught.value),
    )


def test_a_certificate_of_ones_own_authority(secure_host, certificate, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate / "cert.pem"))
    assert read_folder(hub.resolve(secure_host.url("/m/1"))) == FILES


def test_a_redirect_to_where_nothing_is_checked(host, secure_host, certificate, monkeypatch):
    plain = host.serve("/m/1", ARCHIVE)
    secure_host.replies["/m/2"] = redirect(f"{plain}?signed")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate / "cert.pem"))
    with pytest.raises(errors.DownloadError) as caught:
        hub.resolve(secure_host.url("/m/2"))
    assert str(caught.value) == (
        f"{secure_host.url('/m/2')} redirects to {plain!r}, where anybody on the network can "
        "replace it. Use a handle that stays with https; or, on a network that you trust, set "
        "TFHUB_DISABLE_CERT_VALIDATION=true."
    )
    assert not host.seen
    monkeypatch.setenv("TFHUB_DISABLE_CERT_VALIDATION", "true")
    assert read_folder(hub.resolve(secure_host.url("/m/2"))) == FILES


def test_certificates_unchecked_on_demand(secure_host, monkeypatch, caplog, recwarn):
    monkeypatch.setenv("TFHUB_DISABLE_CERT_VALIDATION", "true")
    url = secure_host.url("/m/1")
    assert read_folder(hub.resolve(url)) == FILES
    assert (
        f"TFHUB_DISABLE_CERT_VALIDATION is set: anybody on the network can replace {url}."
        in caplog.messages
    )
    assert not [warning for warning in recwarn if "nverified" in str(warning.message)]


class TestBucketResolver(ResolverContract):
    @pytest.fixture
    def case(self, host, cache_folder):
        import tensorflow as tf

        tf.io.gfile.makedirs("ram://bucket/text/1")
        with tf.io.gfile.GFile("ram://bucket/text/1/saved_model.pb", "wb") as file:
            file.write(b"x")
        host.replies["/m/1"] = status(303, b"ram://bucket/text/1")
        resolver = BucketResolver(settings(cache_folder, load_format="UNCOMPRESSED"))
        return ResolverCase(resolver, host.url("/m/1"), host.url("/m/2"), ("gs://a/b",))


@pytest.fixture
def bucket(cache_folder):
    chosen = settings(cache_folder, load_format="UNCOMPRESSED")
    return lambda url: resolve(url, [BucketResolver(chosen)])


def test_the_bucket_is_asked_for_after_redirects(host, monkeypatch):
    import tensorflow as tf

    monkeypatch.setenv("TFHUB_MODEL_LOAD_FORMAT", "UNCOMPRESSED")
    tf.io.gfile.makedirs("ram://bucket/text/2")
    host.replies["/new"] = status(303, b" ram://bucket/text/2\n", Location="gs://elsewhere")
    host.replies["/m/1"] = redirect("/new?asked")
    assert hub.resolve(host.url("/m/1?a=b")) == "ram://bucket/text/2"
    assert [seen.query for seen in host.seen] == ["a=b&tf-hub-format=uncompressed", "asked"]


def test_a_host_that_knows_no_bucket(host, bucket):
    url = host.serve("/m/1", ARCHIVE)
    with pytest.raises(errors.DownloadError) as caught:
        bucket(url)
    assert str(caught.value) == (
        f"The host of {url} does not tell where the uncompressed module is (it answered 200, not "
        "303): set TFHUB_MODEL_LOAD_FORMAT=COMPRESSED."
    )


def test_a_host_of_buckets_in_passing_trouble(host, bucket):
    import tensorflow as tf

    tf.io.gfile.makedirs("ram://bucket/text/3")
    host.replies["/m/1"] = in_turn(status(503), status(303, b"ram://bucket/text/3"))
    assert bucket(host.url("/m/1")) == "ram://bucket/text/3"


def test_a_bucket_that_is_none(host, bucket):
    host.replies["/m/1"] = status(303, b"/etc")
    with pytest.raises(errors.DownloadError, match="names '/etc' as the place of the uncompressed"):
        bucket(host.url("/m/1"))
    host.replies["/m/1"] = status(303, b"ram://nothing/here")
    with pytest.raises(errors.HandleNotFoundError, match="module is at ram://nothing/here, but"):
        bucket(host.url("/m/1"))
    host.replies["/m/1"] = status(303, b"zzz://a/b")
    with pytest.raises(errors.DownloadError) as caught:
        bucket(host.url("/m/1"))
    assert str(caught.value) == (
        f"The host of {host.url('/m/1')} says that the module is at zzz://a/b, which cannot be read "
        "here: set TFHUB_MODEL_LOAD_FORMAT=COMPRESSED."
    )
    host.replies["/m/1"] = status(303, b"ram://\x1b[2J" + b"x" * 9000)
    with pytest.raises(errors.HandleNotFoundError) as caught:
        bucket(host.url("/m/1"))
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300
    host.replies["/m/1"] = redirect("/m/1")
    with pytest.raises(errors.DownloadError, match="redirects more than 10 times"):
        bucket(host.url("/m/1"))


def test_a_bucket_behind_no_network(bucket):
    with Host() as gone:
        url = gone.url("/m/1")
    with pytest.raises(
        errors.DownloadError, match="cannot be downloaded after 4 attempts: .*refused"
    ):
        bucket(url)


def test_a_bucket_offline(host, cache_folder):
    chosen = settings(cache_folder, load_format="UNCOMPRESSED", offline=True)
    with pytest.raises(errors.OfflineError) as caught:
        resolve(host.url("/m/1"), [BucketResolver(chosen)])
    assert str(caught.value) == (
        f"HUB_ESTIMATOR_OFFLINE is set, and {host.url('/m/1')} is to be read from its bucket: "
        "unset TFHUB_MODEL_LOAD_FORMAT to use the cache."
    )
    assert not host.seen


def test_nginx_as_the_static_host(tmp_path, fetch):
    nginx = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if not nginx:
        pytest.skip("nginx is not installed")
    with Host() as free:
        port = free.server_port
    (tmp_path / "www/m").mkdir(parents=True)
    (tmp_path / "www/m/1.tar.gz").write_bytes(ARCHIVE)
    temporary = [f"{name}_temp_path {tmp_path}/{name};" for name in
                 ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")]  # fmt: skip
    (tmp_path / "nginx.conf").write_text(
        # The folders of tests are open to their user alone.
        ("user root;\n" if os.geteuid() == 0 else "")
        + f"daemon off; pid {tmp_path}/pid; error_log stderr; events {{}}\n"
        f"http {{ access_log off; {' '.join(temporary)}\n"
        f"server {{ listen 127.0.0.1:{port}; root {tmp_path}/www; }} }}\n"
    )
    process = subprocess.Popen([nginx, "-c", str(tmp_path / "nginx.conf"), "-p", str(tmp_path)])
    try:
        # Until it listens, connections are refused, which is retried.
        url = f"http://127.0.0.1:{port}/m/1.tar.gz"
        assert read_folder(fetch(url, first_wait_secs=0.2)) == FILES
        with pytest.raises(errors.HandleNotFoundError):
            fetch(f"http://127.0.0.1:{port}/m/2.tar.gz")
    finally:
        process.terminate()
        process.wait()


def test_hosted_handles_need_no_tensorflow(host):
    url = host.serve("/m/1", ARCHIVE)
    program = (
        "import sys; from hub_estimator import resolve; resolve(sys.argv[1]); resolve('/');"
        "print({'tensorflow', 'keras', 'numpy'} & set(sys.modules))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, url], capture_output=True, text=True, check=True
    )
    assert result.stdout == "set()\n"


def test_a_reason_without_words():
    assert retrying.plain_reason(ValueError()) == "ValueError"
    assert retrying.plain_reason(ValueError("no http://me:secret@a/b@c.")) == "no http://a/b@c"
    assert Handle("http://a/b").asking_for("compressed") == "http://a/b?tf-hub-format=compressed"
