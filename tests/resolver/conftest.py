"""Shared by the tests of the resolver: a clean environment, a cache, a host on loopback."""

from __future__ import annotations

import contextlib
import logging
import os

import pytest

from tests.resolver.hosting import Host

NOBODY = 65534


@pytest.fixture(autouse=True)
def environment(monkeypatch, tmp_path):
    """No setting of the machine reaches a test; the cache is the test's own."""
    for name in list(os.environ):
        if name.upper().endswith("_PROXY") or name.startswith(("TFHUB_", "HUB_ESTIMATOR_")):
            monkeypatch.delenv(name)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NETRC", str(tmp_path / "no-netrc"))
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture(autouse=True)
def fresh_log():
    """The package's log as a program finds it; command lines set it up for themselves."""
    logger = logging.getLogger("hub_estimator")
    before = logger.handlers, logger.level, logger.propagate
    logger.handlers, logger.propagate = [], True
    logger.setLevel(logging.NOTSET)
    yield
    logger.handlers, logger.propagate = before[0], before[2]
    logger.setLevel(before[1])


@pytest.fixture
def cache_folder(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def host():
    with Host() as host:
        yield host


@pytest.fixture
def unprivileged():
    """A context in which permissions count, even if the tests run as root."""

    @contextlib.contextmanager
    def context():
        is_root = os.geteuid() == 0
        if is_root:
            os.seteuid(NOBODY)
        try:
            yield
        finally:
            if is_root:
                os.seteuid(0)

    return context
