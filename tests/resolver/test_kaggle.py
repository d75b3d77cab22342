"""Handles of Kaggle and tfhub.dev: through kagglehub, the real one where it is installed."""

from __future__ import annotations

import http.server
import importlib.util
import json
import os
import pathlib
import sys
import threading
import types

import pytest

import hub_estimator as hub
from hub_estimator import errors
from hub_estimator.resolver import Cache, Handle, KaggleResolver, Settings
from hub_estimator.resolver.contract import ResolverCase, ResolverContract
from hub_estimator.resolver.kaggle import model_name
from tests.resolver.hosting import Host, module_files, read_folder, redirect, start_python, status

pytestmark = pytest.mark.one_tensorflow

FILES = module_files()


def install_kagglehub(monkeypatch, download) -> list[str]:
    """A small kagglehub, with the signature of the real one; returns what it was asked for."""
    asked = []

    def model_download(handle, path=None, *, force_download=False, output_dir=None):
        asked.append(handle)
        return download(handle, output_dir)

    library = types.ModuleType("kagglehub")
    library.model_download = model_download
    monkeypatch.setitem(sys.modules, "kagglehub", library)
    return asked


def put_module(handle, folder):
    for name, data in FILES.items():
        path = pathlib.Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    pathlib.Path(folder, ".complete").mkdir()  # as the library marks a finished download
    return folder


@pytest.fixture
def kaggle(host, cache_folder):
    """The resolver, with the host of the test in the place of tfhub.dev."""
    settings = Settings(str(cache_folder), timeout_secs=2, first_wait_secs=0.01)
    own = f"127.0.0.1:{host.server_port}"
    return KaggleResolver(Cache(str(cache_folder)), settings, redirecting_hosts=(own,))


class TestKaggleResolver(ResolverContract):
    @pytest.fixture
    def case(self, host, kaggle, monkeypatch):
        install_kagglehub(monkeypatch, put_module)
        host.replies["/google/m/1"] = redirect(
            "https://www.kaggle.com/models/google/m/tensorFlow1/v/1"
        )
        foreign = ("https://www.kaggle.com/datasets/a/b", "https://example.com/models/a", "/a")
        return ResolverCase(kaggle, host.url("/google/m/1"), host.url("/google/m/2"), foreign)


KAGGLE = "https://www.kaggle.com/models/google/nnlm/tensorFlow1/en-dim128"
LONG = "https://www.kaggle.com/models/google/nnlm/frameworks"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        (KAGGLE, "google/nnlm/tensorFlow1/en-dim128"),
        (f"{KAGGLE}/1", "google/nnlm/tensorFlow1/en-dim128/1"),
        (f"{KAGGLE}/1/?tfhub-redirect=true", "google/nnlm/tensorFlow1/en-dim128/1"),
        (f"{LONG}/TensorFlow1/variations/en/versions/2", "google/nnlm/TensorFlow1/en/2"),
        (f"{LONG}/TensorFlow1/variations/en", "google/nnlm/TensorFlow1/en"),
        (f"{LONG}/TensorFlow1", ""),
        (f"{LONG}/TensorFlow1/versions/2", ""),
        ("https://www.kaggle.com/models/google/nnlm", ""),
        (f"{KAGGLE}/latest", ""),
    ],
)  # fmt: skip
def test_names_of_models(url, name):
    assert model_name(url) == name


def test_kaggle_handles_through_the_library(monkeypatch, cache_folder):
    asked = install_kagglehub(monkeypatch, put_module)
    folder = hub.resolve(f"{KAGGLE}/1")
    assert read_folder(folder) == FILES
    assert os.path.dirname(folder) == str(cache_folder)
    assert hub.resolve(f"{KAGGLE}/1") == folder
    hub.resolve(KAGGLE)
    assert asked == ["google/nnlm/tensorFlow1/en-dim128/1", "google/nnlm/tensorFlow1/en-dim128"]


def test_a_library_that_keeps_its_own_folder(monkeypatch, tmp_path):
    install_kagglehub(monkeypatch, lambda *_: put_module("", str(tmp_path / "mounted")))
    assert read_folder(hub.resolve(KAGGLE)) == FILES


def test_without_the_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    with pytest.raises(errors.MissingExtraError) as caught:
        hub.resolve(f"{KAGGLE}/1")
    assert isinstance(caught.value, ImportError)
    assert str(caught.value) == (
        f"{KAGGLE}/1 is hosted by Kaggle, which needs the library kagglehub: "
        "pip install 'hub_estimator[kaggle]'."
    )
    with pytest.raises(errors.MissingExtraError):
        hub.resolve("https://tfhub.dev/google/nnlm-en-dim128/1")


def test_handles_of_the_mirror(monkeypatch, host, cache_folder):
    """They are asked for where they are known, with the path and query that they have."""
    asked = install_kagglehub(monkeypatch, put_module)
    host.replies["/google/m/1"] = redirect(f"{KAGGLE}/1")
    own = f"127.0.0.1:{host.server_port}"
    chosen = Settings(str(cache_folder), timeout_secs=2, first_wait_secs=0.01)
    resolver = KaggleResolver(
        Cache(str(cache_folder)), chosen, redirecting_hosts=(own,), mirror_hosts=("mirror.invalid",)
    )
    handle = Handle("http://mirror.invalid/google/m/1?a=b")
    assert resolver.supports(handle)
    assert read_folder(resolver(handle)) == FILES
    assert asked == ["google/nnlm/tensorFlow1/en-dim128/1"]
    assert [(seen.path, seen.query) for seen in host.seen] == [("/google/m/1", "a=b")]


def test_the_mirror_is_known(monkeypatch):
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    with pytest.raises(errors.MissingExtraError):
        hub.resolve("https://hub.tensorflow.google.cn/google/nnlm-en-dim128/1")
    resolver = KaggleResolver(Cache("/c"), Settings("/c", load_format="UNCOMPRESSED"))
    assert not resolver.supports(Handle("https://hub.tensorflow.google.cn/google/nnlm-en-dim128/1"))


def test_links_in_the_folder_of_the_library_are_not_followed(monkeypatch, tmp_path):
    def link(handle, folder):
        put_module(handle, str(tmp_path / "mounted"))
        (tmp_path / "mounted/assets/host").symlink_to("/etc/hostname")
        return str(tmp_path / "mounted")

    install_kagglehub(monkeypatch, link)
    with pytest.raises(errors.UnsafeArchiveError, match="is refused: assets/host is a link."):
        hub.resolve(KAGGLE)


def test_what_the_library_says_is_shown_escaped_and_cut(monkeypatch):
    def fail(*_):
        raise ValueError("\x1b[2J" + "x" * 10_000)

    install_kagglehub(monkeypatch, fail)
    with pytest.raises(errors.DownloadError, match=r"\\x1b\[2Jxxx") as caught:
        hub.resolve(f"{KAGGLE}/1")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 700


def test_failures_of_the_library(monkeypatch):
    def fail(*_):
        raise ValueError("no such model")

    install_kagglehub(monkeypatch, fail)
    with pytest.raises(errors.DownloadError) as caught:
        hub.resolve(f"{KAGGLE}/1")
    assert str(caught.value) == (
        f"kagglehub cannot download {KAGGLE}/1 (google/nnlm/tensorFlow1/en-dim128/1): no such "
        "model. Check the handle, the network, and whether the model asks for a login "
        "(KAGGLE_USERNAME, KAGGLE_KEY)."
    )


def test_refusals_that_the_library_passes_on(monkeypatch, host):
    import requests

    host.replies["/api"] = status(403)
    install_kagglehub(monkeypatch, lambda *_: requests.get(host.url("/api")).raise_for_status())
    with pytest.raises(errors.AccessDeniedError, match=f"127.0.0.1 refuses {KAGGLE}/1: "):
        hub.resolve(f"{KAGGLE}/1")


def test_a_url_that_names_no_model(monkeypatch):
    install_kagglehub(monkeypatch, put_module)
    url = "https://www.kaggle.com/models/google/nnlm"
    with pytest.raises(errors.UnsupportedHandleError) as caught:
        hub.resolve(url)
    assert str(caught.value) == (
        f"{url} leads to {url}, which names no model: write it like "
        "https://www.kaggle.com/models/<owner>/<model>/<framework>/<variation>/<version>."
    )


def test_redirects_that_do_not_lead_to_kaggle(monkeypatch, host, kaggle, cache_folder):
    install_kagglehub(monkeypatch, put_module)
    host.replies["/loop"] = redirect("/loop")
    with pytest.raises(errors.DownloadError, match="redirects more than 10 times."):
        kaggle(Handle(host.url("/loop")))
    host.replies["/page"] = status(200, b"hello")
    with pytest.raises(errors.DownloadError, match="answered 200 OK. Check the handle."):
        kaggle(Handle(host.url("/page")))
    with Host() as gone:
        url = gone.url("/m")
    with pytest.raises(errors.DownloadError, match="cannot be downloaded after 4 attempts: "):
        kaggle(Handle(url))


# --- the real library against a small Kaggle -------------------------------------------------


class SmallKaggle(http.server.BaseHTTPRequestHandler):
    """Answers the three questions that kagglehub asks for a model."""

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        method = self.path.rpartition("/")[2]
        if asked["modelSlug"] != "nnlm":
            self.send_error(404)
            return
        names = [{"name": name, "size": len(data)} for name, data in FILES.items()]
        body = {
            "GetModelInstance": lambda: json.dumps({"versionNumber": 3}).encode(),
            "ListModelInstanceVersionFiles": lambda: json.dumps({"files": names}).encode(),
            "DownloadModelInstanceVersion": lambda: FILES[asked["path"]],
        }[method]()
        self.server.versions.append(asked.get("versionNumber"))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        is_file = method.startswith("Download")
        self.send_header(
            "Content-Type", "application/octet-stream" if is_file else "application/json"
        )
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def small_kaggle(monkeypatch, tmp_path):
    if importlib.util.find_spec("kagglehub") is None:
        pytest.skip("kagglehub, an extra, is not installed")
    try:
        # The port that the library uses when it is tested.
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 7777), SmallKaggle)
    except OSError:
        pytest.skip("port 7777 is taken")
    monkeypatch.setenv("KAGGLE_API_ENVIRONMENT", "TEST")
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "kagglehub"))
    server.versions = []
    with server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


RESOLVE = "import sys, hub_estimator as hub; print(hub.resolve(sys.argv[1]), file=sys.stderr)"


def resolve_in_a_process(url: str) -> str:
    """kagglehub takes its settings when it is imported."""
    path = os.pathsep.join([str(pathlib.Path(hub.__file__).parents[1]), *sys.path])
    _, told = start_python(RESOLVE, url, PYTHONPATH=path).communicate()
    return told.splitlines()[-1]


@pytest.mark.parametrize(("url", "version"), [(f"{KAGGLE}/2", 2), (KAGGLE, 3)])
def test_the_real_library(small_kaggle, url, version):
    folder = resolve_in_a_process(url)
    assert read_folder(folder) == FILES
    assert small_kaggle.versions[-1] == version


def test_the_real_library_and_a_model_that_is_not_there(small_kaggle):
    told = resolve_in_a_process(KAGGLE.replace("nnlm", "nothing") + "/1")
    assert told.startswith("hub_estimator.errors.HandleNotFoundError: There is no module at https:")
