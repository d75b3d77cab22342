"""A site: the private hub of `hub_estimator.publish`, in which each version has a page and a handle."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence

from hub_estimator import errors, files
from hub_estimator.jobs.destinations import site_publication
from hub_estimator.jobs.destinations.destination import Destination, Publication, Version, place_of
from hub_estimator.site import descriptions, names, records, site_folder, withdrawing
from hub_estimator.training import checks
from hub_estimator.training.exporters import folders


@dataclasses.dataclass(frozen=True)
class Site(Destination):
    """A model of a site. Versions never change there: one that is removed is withdrawn.

    Attributes:
      path: the folder of the site, or its place in a store; made where it is not there.
      name: the name of the model: `owner/model`.
      module: which of the exported modules, by its `export_name`; None where there is one.
      description: a Markdown file about it, for its pages.
      url: the address under which the site is served, which the site keeps.
      timeout_minutes: how long a publication may take.

    Raises:
      errors.InvalidSettingError: a setting has a value that it cannot have.
      errors.InvalidModelNameError: the name is none.
      errors.InvalidPathNameError: the module's name cannot be one.
      errors.SiteSettingError: the address is none.
      errors.MissingExtraError: what makes pages is not installed.
    """

    path: str
    name: str
    module: str | None = None
    description: str | None = None
    url: str | None = None
    timeout_minutes: float = 60.0

    def __post_init__(self) -> None:
        checks.path("Site.path", self.path)
        place_of("Site.path", self.path)
        names.check(self.name)
        if self.module is not None:
            files.check_name("Site.module", self.module)
        if self.description is not None:
            checks.path("Site.description", self.description)
        if self.url is not None:
            site_folder.check_url(self.url)
        checks.positive("Site.timeout_minutes", self.timeout_minutes)
        descriptions.require()

    @property
    def place(self) -> str:
        """See `Destination`."""
        return files.join(self._folder, self.name)

    @property
    def _folder(self) -> str:
        return place_of("Site.path", self.path)

    @property
    def _site(self) -> site_folder.Site | None:
        """The site; None where there is none yet."""
        is_there = files.exists(files.join(self._folder, site_folder.SITE))
        return site_folder.Site.open(self._folder) if is_there else None

    def check_what(self, what: str) -> None:
        """See `Destination`."""
        if what != "modules":
            raise errors.InvalidSettingError(
                f"ExportJob.what is {what!r}; a site has modules. Set ExportJob.what = 'modules', or "
                "take @Site() out of ExportJob.destinations."
            )

    def check(self, is_first: bool) -> None:
        """See `Destination`."""
        folders.check_place(self._folder, None)
        if self._site is None:
            if not is_first:
                raise errors.ExportError(
                    f"The site {self._folder!r}, which has published versions, is not there: its "
                    "disk is away, or it was removed. Bring it back, or begin one there with "
                    "hub_estimator.publish."
                )
            site_folder.Site(self._folder).is_begun()  # an error if something else is there

    def versions(self, job: str) -> Sequence[Version]:
        """See `Destination`."""
        site = self._site
        if site is None:
            return []
        there = [version.number for version in site.versions(self.name) if version.is_there]
        return [
            self._version(site, version, publication, version.number == max(there))
            for version, publication in site_publication.of_jobs(site, self.name)
            if version.is_there and publication.job == job
        ]

    def _version(
        self,
        site: site_folder.Site,
        version: records.Version,
        publication: Publication,
        is_current: bool,
    ) -> Version:
        path = site.archive(self.name, version.number)
        return Version(str(version.number), path, publication, is_current)

    def publish(
        self,
        export: str,
        publication: Publication,
        is_first: bool,
        model_dir: str | None = None,
    ) -> Version:
        """See `Destination`.

        A version of the checkpoint that was withdrawn stays so: it is not published a second time.
        """
        self.check(is_first)
        site = self._site
        if site is not None and site_publication.find(site, self.name, publication) is not None:
            site_publication.refresh(site)
        else:
            is_local = model_dir is not None and not files.is_remote(model_dir)
            request = site_publication.Request(
                self._folder,
                self.name,
                self._module(export),
                publication,
                is_first,
                os.path.abspath(model_dir) if model_dir is not None and is_local else None,
                self.description,
                self.url,
            )
            site_publication.run(request, self.timeout_minutes * 60.0)
        return self._published(publication)

    def _published(self, publication: Publication) -> Version:
        site = site_folder.Site.open(self._folder)
        found = site_publication.find(site, self.name, publication)
        assert found is not None
        there = [version.number for version in site.versions(self.name) if version.is_there]
        return self._version(site, found, publication, found.number == max(there, default=0))

    def _module(self, export: str) -> str:
        """Returns the path of the module to publish."""
        found = {os.path.basename(path): path for path in folders.modules_in(export)}
        if self.module is None and len(found) == 1:
            [path] = found.values()
            return path
        if self.module in found:
            return found[self.module]
        there = ", ".join(map(repr, sorted(found)))
        if self.module is None:
            raise errors.ExportError(
                f"The model exports the modules {there}, and {self.name} in {self._folder!r} can be "
                "one of them. Say which: Site.module."
            )
        raise errors.ExportError(
            f"Site.module is {self.module!r}, and the model exports no module of this name. It "
            f"exports {there}."
        )

    def tidy(self) -> None:
        """See `Destination`. Pages and archives follow from the versions: also after a withdrawal."""
        files.remove_abandoned(self._folder)
        site = self._site
        if site is not None:
            site_publication.refresh(site)

    def remove(self, version: Version) -> None:
        """See `Destination`."""
        withdrawing.withdraw(
            self._folder,
            self.name,
            int(version.name),
            "It was removed by age or quality, as the job that published it is set. Take the newest "
            "version.",
        )
