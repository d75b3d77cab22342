"""The page of the best trial's module on a private hub: published once, by a process of its own."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys

from hub_estimator import digests, errors, files, texts
from hub_estimator.site import descriptions, names
from hub_estimator.site.site_folder import SITE, Site
from hub_estimator.training import checks

_SHOWN = 500


@dataclasses.dataclass(frozen=True)
class Publication:
    """Where the best module of a sweep is published.

    Attributes:
      site: the folder of the site; made where it is not there.
      name: the name of the model there: an owner and a model.
      description: a Markdown file for its page.
      url: the address under which the site is served; see `hub_estimator.publish`.

    Raises:
      errors.InvalidSettingError: a setting is of another kind.
      errors.InvalidModelNameError: the name is none.
    """

    site: str
    name: str
    description: str | None = None
    url: str | None = None

    def __post_init__(self) -> None:
        checks.path("Publication.site", self.site)
        checks.text("Publication.name", self.name)
        names.check(self.name)
        for setting in ("description", "url"):
            if getattr(self, setting) is not None:
                checks.text(f"Publication.{setting}", getattr(self, setting))

    def check(self) -> None:
        """Checks that pages can be made.

        Raises:
          errors.MissingExtraError: what makes them is not installed.
        """
        descriptions.require()

    def publish(self, module: str) -> str:
        """Publishes a module, where it is not published by this name yet; returns its page's path.

        Args:
          module: its folder, in the model folder that it was exported in.

        Raises:
          errors.BestModuleError: it cannot be published; the message says why.
          errors.SiteError: the site's folder is none, or damaged.
        """
        page = self._page(module)
        if page is None:
            self._run(module)
            page = self._page(module)
        if page is None:
            raise errors.BestModuleError(
                f"The module {module!r} changes while it is published. Run the sweep's command again."
            )
        return page

    def _page(self, module: str) -> str | None:
        """Returns the path of the page of a version with this module; None without one."""
        if not files.exists(files.join(self.site, SITE)):
            return None
        site, digest = Site.open(self.site), digests.of_module(os.path.realpath(module))
        found = [
            version
            for version in site.versions(self.name)
            if version.is_there and version.module_sha256 == digest
        ]
        return site.version_folder(self.name, found[0].number) if found else None

    def _run(self, module: str) -> None:
        given = {
            "module": module,
            "site": self.site,
            "name": self.name,
            "description": self.description,
            "url": self.url,
        }
        flags = [f"--{name}={value}" for name, value in given.items() if value is not None]
        paths = os.pathsep.join(path for path in sys.path if path)
        ended = subprocess.run(
            [sys.executable, "-m", "hub_estimator.publish", *flags],
            check=False, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": paths},
        )  # fmt: skip
        if ended.returncode:
            lines = ended.stderr.strip().splitlines() or [f"exit status {ended.returncode}"]
            why = texts.one_line(lines[-1].removeprefix("error: "), _SHOWN)
            raise errors.BestModuleError(f"The best module was not published: {why}")
