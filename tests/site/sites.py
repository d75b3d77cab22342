"""Sites that are published in tests, and what must be true of each of them at any time."""

from __future__ import annotations

import hashlib
import json
import pathlib

from hub_estimator.site.site_folder import Site

FILES = ("index.html", "index.json", "feed.xml", "site.css", "site.js")


def check_shown(folder: pathlib.Path) -> None:
    """Checks that all that can be seen of a site is whole, also where a publisher has just died."""
    site = Site(str(folder))
    for name, versions in (site.models() if (folder / "site.json").exists() else {}).items():
        for version in versions:
            assert (
                (folder / name / str(version.number) / "index.html")
                .read_text()
                .endswith("</html>\n")
            )
            if version.is_there:
                content = (folder / name / f"{version.number}.tar.gz").read_bytes()
                assert hashlib.sha256(content).hexdigest() == version.archive_sha256
                assert len(content) == version.archive_bytes
    for path in folder.rglob("*"):
        if not path.name.startswith("."):
            assert path.exists(), f"{path} leads nowhere"
            if path.suffix == ".html":
                assert path.read_text().endswith("</html>\n"), path
    listed = folder / "index.json"
    for name, model in (
        json.loads(listed.read_bytes())["models"] if listed.exists() else {}
    ).items():
        for number, version in model["versions"].items():
            assert (folder / name / number / "version.json").exists()
            is_withdrawn = (folder / name / number / "withdrawn.json").exists()
            if "archive" in version and not is_withdrawn:
                content = (folder / version["archive"]).read_bytes()
                assert hashlib.sha256(content).hexdigest() == version["sha256"]


def check_whole(folder: pathlib.Path) -> None:
    """Checks that nothing is missing or left over, as at the end of each publication."""
    check_shown(folder)
    site = Site(str(folder))
    expected = {folder / name for name in (*FILES, "site.json", ".publishing.lock")}
    listed = json.loads((folder / "index.json").read_bytes())["models"]
    assert set(listed) == set(site.models())
    for name, versions in site.models().items():
        place = folder / name
        expected |= {place.parent, place, place / "index.html"}
        page = (place / "index.html").read_text()
        assert set(listed[name]["versions"]) == {str(version.number) for version in versions}
        there = [version.number for version in versions if version.is_there]
        assert listed[name]["newest"] == max(there, default=None)
        link = place.with_name(f"{place.name}.tar.gz")
        if there:
            assert link.readlink().as_posix() == f"{place.name}/{max(there)}.tar.gz"
            expected.add(link)
        for version in versions:
            own = place / str(version.number)
            expected |= {own, own / "index.html", own / "version.json"}
            expected |= {own / picture.file for picture in version.pictures}
            expected.add(
                own / "withdrawn.json" if version.withdrawal else place / f"{version.number}.tar.gz"
            )
            assert f'href="{version.number}/"' in page
            assert f"{name}, version {version.number}" in (folder / "feed.xml").read_text()
        assert f'href="{name}/"' in (folder / "index.html").read_text()
    there = set(folder.rglob("*"))
    assert not there ^ expected, there ^ expected
