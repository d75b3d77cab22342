"""Sites in stores, and what must be true of each of them once a publisher has come to its end."""

from __future__ import annotations

import hashlib
import json

from hub_estimator.site.site_folder import Site
from tests import stores


def check_whole(place: str) -> None:
    """Checks that what follows from the versions is there, and as they say."""
    models, content = Site.open(place).models(), stores.content(place)
    listed = json.loads(content["index.json"])["models"]
    assert set(listed) == set(models)
    for name in ("index.html", "feed.xml", "site.css", "site.js"):
        assert content[name]
    for name, versions in models.items():
        page = content[f"{name}/index.html"].decode()
        assert page.endswith("</html>\n")
        assert set(listed[name]["versions"]) == {str(version.number) for version in versions}
        there = [version for version in versions if version.is_there]
        assert listed[name]["newest"] == (there[0].number if there else None)
        assert (f"{name}.tar.gz" in content) == bool(there)
        if there:
            newest = content[f"{name}/{there[0].number}.tar.gz"]
            assert content[f"{name}.tar.gz"] == newest
        for version in versions:
            assert f'href="{version.number}/"' in page
            own = content[f"{version.handle}/index.html"].decode()
            assert own.endswith("</html>\n")
            assert f"{name}, version {version.number}" in content["feed.xml"].decode()
            if version.is_there:
                archive = content[f"{version.handle}.tar.gz"]
                assert hashlib.sha256(archive).hexdigest() == version.archive_sha256
            else:
                assert f"{version.handle}.tar.gz" not in content
