"""`index.json`: what programs read of a site.

    {"format": 1,
     "models": {"acme/reviews-en": {
        "newest": 3,                     null where all are withdrawn
        "versions": {
          "3": {"archive": "acme/reviews-en/3.tar.gz",   beside index.json
                "bytes": 12345,
                "sha256": "...",                         of the archive
                "module_sha256": "...",                  of the module; see digests.of_module
                "published": "2026-01-31T12:00:00Z"},
          "2": {"withdrawn": "why", "published": "..."}}}}}

Keys that are not here may be added; a reader passes over those that it does not know. Another
meaning has another number as its `format`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hub_estimator.site.records import FORMAT, Version, as_text, newest_of
from hub_estimator.site.site_folder import ARCHIVE


def text(models: Mapping[str, Sequence[Version]]) -> str:
    """Returns the text of the file.

    Args:
      models: the versions of each, the newest first.
    """
    content = {"format": FORMAT, "models": {name: _model(found) for name, found in models.items()}}
    return as_text(content)


def _model(versions: Sequence[Version]) -> dict[str, Any]:
    newest = newest_of(versions)
    return {
        "newest": None if newest is None else newest.number,
        "versions": {str(version.number): _version(version) for version in versions},
    }


def _version(version: Version) -> dict[str, Any]:
    if version.withdrawal is not None:
        return {"withdrawn": version.withdrawal.why, "published": version.published}
    return {
        "archive": f"{version.handle}{ARCHIVE}",
        "bytes": version.archive_bytes,
        "sha256": version.archive_sha256,
        "module_sha256": version.module_sha256,
        "published": version.published,
    }
