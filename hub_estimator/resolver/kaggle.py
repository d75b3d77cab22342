"""Resolves the handles of tfhub.dev and kaggle.com through `kagglehub`, an optional extra."""

from __future__ import annotations

import dataclasses
import inspect
import os
import shutil
import urllib.parse
from typing import Any

import requests

from hub_estimator import errors, files, texts
from hub_estimator.resolver import answers, download
from hub_estimator.resolver.handle import Handle, without_secrets
from hub_estimator.resolver.module_cache import Cache, Fetched
from hub_estimator.resolver.settings import Settings

KAGGLE_HOSTS = ("www.kaggle.com", "kaggle.com")
REDIRECTING_HOSTS = ("tfhub.dev", "www.tfhub.dev")
# Had the models of tfhub.dev, under the same paths.
MIRROR_HOSTS = ("hub.tensorflow.google.cn",)
_MODELS = "/models/"
_MAX_SHOWN = 300


@dataclasses.dataclass(frozen=True)
class KaggleResolver:
    """Has kagglehub download a model, and keeps it in the cache like any other.

    An unversioned handle is the latest version when it is first resolved; afterwards what is in
    the cache, until that is cleared.

    Attributes:
      cache: where modules are kept.
      settings: how to ask.
      kaggle_hosts: the hosts whose `/models/...` are models.
      redirecting_hosts: the hosts that redirect to those.
      mirror_hosts: the hosts in whose place the first of `redirecting_hosts` is asked.
    """

    cache: Cache
    settings: Settings
    kaggle_hosts: tuple[str, ...] = KAGGLE_HOSTS
    redirecting_hosts: tuple[str, ...] = REDIRECTING_HOSTS
    mirror_hosts: tuple[str, ...] = MIRROR_HOSTS

    def supports(self, handle: Handle) -> bool:
        """Whether `handle` is of kaggle.com, or of a host that redirects there."""
        if not handle.is_url:
            return False
        if handle.host in (*self.redirecting_hosts, *self.mirror_hosts):
            return self.settings.load_format != "UNCOMPRESSED"
        return handle.host in self.kaggle_hosts and handle.path.startswith(_MODELS)

    def __call__(self, handle: Handle) -> str:
        """Returns the folder of the cache that holds the module."""

        def fetch(folder: str, spare: str) -> Fetched:
            kagglehub = _import_kagglehub(handle)
            url = self._model_url(handle)
            name = model_name(url)
            if not name:
                shown = texts.one_line(without_secrets(url), _MAX_SHOWN)
                raise errors.UnsupportedHandleError(
                    f"{handle} leads to {shown}, which names no model: write it like https://"
                    "www.kaggle.com/models/<owner>/<model>/<framework>/<variation>/<version>."
                )
            return _download(kagglehub, handle, name, folder)

        return self.cache.get(handle, fetch, offline=self.settings.offline)

    def _model_url(self, handle: Handle) -> str:
        """Follows redirects up to the first URL that is a model of Kaggle."""

        def is_model(url: str, status: int | None) -> bool:
            path = urllib.parse.urlsplit(url).path
            return Handle(url).host in self.kaggle_hosts and path.startswith(_MODELS)

        start = handle.text
        if handle.host in self.mirror_hosts:
            parts = urllib.parse.urlsplit(start)
            start = urllib.parse.urlunsplit(parts._replace(netloc=self.redirecting_hosts[0]))
        return download.trace(handle, self.settings, start, is_model).url


def model_name(url: str) -> str:
    """Returns `owner/model/framework/variation[/version]` of a model's URL; empty if it has none.

    Both forms that Kaggle uses are known: `/models/o/m/f/v/1`, and
    `/models/o/m/frameworks/f/variations/v/versions/1`.
    """
    parts = [part for part in urllib.parse.urlsplit(url).path.split("/") if part][1:]
    if parts[2:3] == ["frameworks"]:
        words = parts[2::2]
        if words != ["frameworks", "variations", "versions"][: len(words)] or len(parts) % 2:
            return ""
        parts = parts[:2] + parts[3::2]
    versioned = len(parts) == 5 and parts[4].isdigit()
    return "/".join(parts) if len(parts) == 4 or versioned else ""


def _import_kagglehub(handle: Handle) -> Any:
    try:
        import kagglehub
    except ImportError as error:
        raise errors.MissingExtraError(
            f"{handle} is hosted by Kaggle, which needs the library kagglehub: "
            "pip install 'hub_estimator[kaggle]'."
        ) from error
    return kagglehub


def _download(kagglehub: Any, handle: Handle, name: str, folder: str) -> Fetched:
    into: dict[str, str] = {}
    if "output_dir" in inspect.signature(kagglehub.model_download).parameters:
        into["output_dir"] = folder
    try:
        path = kagglehub.model_download(name, **into)
    except Exception as error:  # its own classes, those of requests, and ValueError
        response = getattr(error, "response", None)
        if isinstance(response, requests.Response):
            raise answers.explain_status(handle, response) from error
        reason = texts.one_line(str(error), _MAX_SHOWN).rstrip(".")
        raise errors.DownloadError(
            f"kagglehub cannot download {handle} ({name}): {reason}. Check the handle, the network, "
            "and whether the model asks for a login (KAGGLE_USERNAME, KAGGLE_KEY)."
        ) from error
    if not os.path.samefile(path, folder):  # a notebook's mounted models, or an older kagglehub
        # Links stay links, which the cache refuses: they may lead anywhere.
        shutil.copytree(
            path, folder, symlinks=True, dirs_exist_ok=True, copy_function=shutil.copyfile
        )
    files.remove(os.path.join(folder, ".complete"))  # the library's own mark
    return Fetched(f"https://www.kaggle.com/models/{name}")
