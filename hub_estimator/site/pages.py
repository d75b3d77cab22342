"""The pages and the feed of a site, made by templates that escape all that they are given."""

from __future__ import annotations

import functools
import importlib.resources
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from hub_estimator import errors, texts
from hub_estimator.resolver.download import readable
from hub_estimator.site import descriptions, module_facts
from hub_estimator.site.records import Version, newest_of
from hub_estimator.version import __version__

_STATIC = ("site.css", "site.js")
_TEMPLATES = "templates"
_NEWS = 50  # entries of the feed
_FIRST_METRICS = ("accuracy", "auc", "average_loss", "loss")
_NO_ADDRESS = "https://YOUR-HOST"

Models = Mapping[str, Sequence[Version]]


class Pages:
    """Makes the pages of a site.

    Args:
      url: the address under which it is served; empty where nobody said it.
      models: the versions of each model, the newest first.
    """

    def __init__(self, url: str, models: Models) -> None:
        self._url = url
        self._models = models
        self._environment = _environment()

    def site(self) -> str:
        """Returns the page of all models."""
        models = [(versions, newest_of(versions)) for _, versions in sorted(self._models.items())]
        return self._render("site.html", "", models=models)

    def model(self, name: str, versions: Sequence[Version]) -> str:
        """Returns the page of a model."""
        newest = newest_of(versions)
        return self._render("model.html", "../../", name=name, versions=versions, newest=newest)

    def version(self, version: Version, versions: Sequence[Version]) -> str:
        """Returns the page of a version.

        Args:
          version: the version.
          versions: all of the model, the newest first.
        """
        template = "version.html" if version.is_there else "withdrawn.html"
        return self._render(
            template, "../../../", version=version, newest=newest_of(versions), versions=versions
        )

    def feed(self) -> str:
        """Returns the Atom feed of the latest news."""
        entries = [_entry(version) for versions in self._models.values() for version in versions]
        entries.sort(key=lambda entry: (entry["updated"], entry["id"]), reverse=True)
        site_id = uuid.uuid5(uuid.NAMESPACE_URL, self._url or "site").urn
        return self._render("feed.xml", "", entries=entries[:_NEWS], site_id=site_id)

    def _render(self, template: str, root: str, **values: Any) -> str:
        import jinja2

        common = {
            "url": self._url,
            "base": self._url or _NO_ADDRESS,
            "root": root,
            "release": __version__,
        }
        try:
            return self._environment.get_template(template).render(common | values) + "\n"
        except (jinja2.UndefinedError, TypeError, ValueError, AttributeError, KeyError) as error:
            shown = values.get("version", values.get("newest"))
            of = shown.handle if isinstance(shown, Version) else "the models"
            raise errors.SiteError(
                f"The page of {of} cannot be made of a version.json: {error}. Restore that file, or "
                "remove the folder that it is in."
            ) from error


def static_files() -> dict[str, bytes]:
    """Returns the files beside the pages that are the same on every site."""
    folder = importlib.resources.files("hub_estimator.site").joinpath(_TEMPLATES)
    return {name: folder.joinpath(name).read_bytes() for name in _STATIC}


def _entry(version: Version) -> dict[str, Any]:
    identity = f"{version.handle} {version.archive_sha256}"
    when = version.published if version.withdrawal is None else version.withdrawal.when
    return {
        "id": uuid.uuid5(uuid.NAMESPACE_URL, identity).urn,
        "updated": when,
        "version": version,
    }


def environment(package: str, **filters: Any) -> Any:
    """Returns what makes pages of the templates of a package; it escapes all that they are given.

    Args:
      package: has them in its folder `templates`.
      **filters: what the templates may call, by name.
    """
    import jinja2

    made = jinja2.Environment(
        loader=jinja2.PackageLoader(package, _TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"one_line": texts.one_line, **filters}
    return made


@functools.cache
def _environment() -> Any:
    filters = {
        "markdown": _markdown,
        "summary": descriptions.summary,
        "size": readable,
        "number": _number,
        "day": lambda time: time[:10],
        "fulfilled": module_facts.fulfilled,
        "first_metric": _first_metric,
        "in_order": _in_order,
        "count": _count,
    }
    return environment("hub_estimator.site", **filters)


def _markdown(text: str) -> Any:
    import markupsafe

    return markupsafe.Markup(descriptions.as_html(text))


def _number(value: Any) -> str:
    """Returns a metric for people."""
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def _count(number: int, one: str, more: str = "") -> str:
    """Returns a number of things: `1 variable`, `2 variables`."""
    return f"{number:,} {one if number == 1 else more or one + 's'}"


def _first_metric(version: Version) -> str:
    """Returns the metric that people look for first; empty where none is known."""
    metrics = (version.training or {}).get("metrics", {})
    name = next((name for name in _FIRST_METRICS if name in metrics), None)
    return "" if name is None else f"{name} {_number(metrics[name])}"


def _in_order(metrics: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Returns metrics with those that people look for first."""
    names = [name for name in _FIRST_METRICS if name in metrics]
    return [(name, metrics[name]) for name in [*names, *sorted(set(metrics) - set(names))]]
