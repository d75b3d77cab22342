"""A published site behind the real nginx: pages for browsers, archives for `hub.resolve`."""

from __future__ import annotations

import logging

import numpy as np
import pytest
import requests
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import errors
from hub_estimator.resolver import Settings, default_resolvers, resolve
from hub_estimator.site.publishing import publish
from hub_estimator.site.withdrawing import withdraw
from tests.resolver.hosting import read_folder, tar
from tests.site import nginx
from tests.site.published import NAME

pytestmark = pytest.mark.one_tensorflow


@pytest.fixture(scope="module")
def served(made_module, tmp_path_factory):
    """A site with versions 1 to 3, of which the second is withdrawn, and its address."""
    folder = tmp_path_factory.mktemp("served")
    for _ in range(3):
        publish(made_module, folder / "site", NAME)
    withdraw(folder / "site", NAME, 2, "Wrong labels.")
    with nginx.serving(folder / "site", folder / "nginx") as url:
        yield folder / "site", url


@pytest.fixture
def get(served):
    with requests.Session() as session:
        session.trust_env = False
        yield lambda path, **options: session.get(f"{served[1]}{path}", timeout=30, **options)


def test_an_address_is_a_page(get, served):
    answer = get(f"/{NAME}/3")
    assert answer.url == f"{served[1]}/{NAME}/3/" and answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html"
    assert "acme/reviews-en <span" in answer.text
    assert get(f"/{NAME}/3", allow_redirects=False).headers["Location"] == f"/{NAME}/3/"
    for path, kind in {
        "/": "text/html",
        f"/{NAME}": "text/html",
        f"/{NAME}/2/": "text/html",
        "/index.json": "application/json",
        "/feed.xml": "application/atom+xml",
        "/site.css": "text/css",
        "/site.js": "application/javascript",
    }.items():
        answer = get(path)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, kind), path
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        f"/{NAME}/3?tf-hub-format=compressed",
        f"/{NAME}/3/?tf-hub-format=compressed",
        f"/{NAME}/3?x=1&tf-hub-format=compressed&y=2",
        f"/{NAME}/3.tar.gz",
        f"/{NAME}/3.tar.gz?tf-hub-format=compressed",
        f"/{NAME}?tf-hub-format=compressed",
    ],
)
def test_the_same_address_is_an_archive(get, served, path):
    answer = get(path)
    assert answer.status_code == 200 and not answer.history
    assert answer.content == (served[0] / NAME / "3.tar.gz").read_bytes()
    assert answer.headers["Content-Type"] == "application/gzip"
    assert answer.links["index"]["url"] == "/index.json"
    assert "Content-Encoding" not in answer.headers


def test_a_part_of_an_archive_can_be_had(get):
    answer = get(f"/{NAME}/3?tf-hub-format=compressed", headers={"Range": "bytes=10-19"})
    assert answer.status_code == 206 and len(answer.content) == 10 and answer.headers["ETag"]


@pytest.mark.parametrize(
    "path",
    [
        f"/{NAME}/2?tf-hub-format=compressed",
        f"/{NAME}/4",
        "/.publishing.lock",
        f"/{NAME}/.x",
        "/?tf-hub-format=compressed",
        "/acme?tf-hub-format=compressed",
    ],
)
def test_what_is_not_there(get, path):
    assert get(path).status_code == 404


def test_resolve_downloads_and_checks_it(served, made_module, caplog):
    _, url = served
    with caplog.at_level(logging.INFO, "hub_estimator"):
        folder = hub.resolve(f"{url}/{NAME}/3")
        assert read_folder(folder) == read_folder(made_module)
        assert not [text for text in caplog.messages if "names no version" in text]
        hub.resolve(f"{url}/{NAME}")
    assert (
        f"{url}/{NAME} names no version: it is version 3, the newest now, which the cache keeps. Add "
        "the version to the handle to have the same one everywhere." in caplog.messages
    )
    with pytest.raises(errors.HandleNotFoundError):
        hub.resolve(f"{url}/{NAME}/2")


def test_another_archive_than_the_listed_one_is_refused(served, made_module, tmp_path):
    site, url = served
    archive = site / NAME / "1.tar.gz"
    before = archive.read_bytes()
    archive.write_bytes(tar(read_folder(made_module) | {"assets/more.txt": b"x"}))
    settings = Settings(str(tmp_path / "own"), attempts=1)
    try:
        with pytest.raises(errors.ListedDigestError, match="is not that of version 1 in the list"):
            resolve(f"{url}/{NAME}/1", default_resolvers(settings))
    finally:
        archive.write_bytes(before)
    assert resolve(f"{url}/{NAME}/1", default_resolvers(settings))


def test_the_address_is_a_module_in_a_graph(served):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        outputs = hub.Module(f"{served[1]}/{NAME}/3")({"text": ["a", "b"]})
        session.run(tf.compat.v1.global_variables_initializer())
        assert np.shape(session.run(outputs)) == (2, 4)
