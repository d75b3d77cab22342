"""Withdraws a published version: its archive goes, and its page says why."""

from __future__ import annotations

from hub_estimator import errors, files
from hub_estimator.site import descriptions, names, refreshing
from hub_estimator.site.records import Withdrawal, now
from hub_estimator.site.site_folder import Site

_MOST_WHY = 2000


def withdraw(site: files.PathLike, name: str, version: int, why: str) -> str:
    """Withdraws a version: its archive goes, and its page says why.

    Args:
      site: the folder of the site.
      name: the name of the model.
      version: the number of the version.
      why: the reason, for people.

    Returns:
      The path of the page.

    Raises:
      errors.SiteSettingError: no reason is given, or too long a one.
      errors.VersionNotFoundError: there is no such version.
      errors.SiteError: the folder is no site, or damaged.
    """
    names.check(name)
    descriptions.require()
    if not why.strip() or len(why) > _MOST_WHY:
        raise errors.SiteSettingError(
            f"The reason of a withdrawal has {len(why)} characters. Say why in 1 to {_MOST_WHY}: its "
            "page tells those who used it."
        )
    opened = Site.open(site)
    with opened.held():
        there = {found.number: found for found in opened.versions(name)}
        if version not in there:
            numbers = ", ".join(map(str, sorted(there))) or "none"
            raise errors.VersionNotFoundError(
                f"There is no version {version} of {name} in {opened.path!r}. There is: {numbers}."
            )
        if there[version].is_there:
            # A command line may have bytes that are no text.
            reason = why.strip().encode("utf-8", "backslashreplace").decode()
            files.write_text(opened.withdrawal(name, version), Withdrawal(reason, now()).to_json())
        refreshing.refresh(opened)
    return opened.version_folder(name, version)
