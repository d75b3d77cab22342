"""Sites in stores: what is published there, by whom at once, and what a kill leaves."""

from __future__ import annotations

import contextlib
import itertools
import os
import pathlib
import subprocess
import sys

import pytest

import hub_estimator as hub
from hub_estimator import digests, errors, files
from hub_estimator import publish as command
from hub_estimator.site import module_facts
from hub_estimator.site.publishing import publish
from hub_estimator.site.site_folder import Site
from hub_estimator.site.withdrawing import withdraw
from tests import stores
from tests.resolver.hosting import read_folder
from tests.site import published
from tests.site.published import NAME
from tests.site.stored_sites import check_whole

pytestmark = pytest.mark.one_tensorflow
ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture
def small(tmp_path, monkeypatch):
    """What goes for a module where nobody reads its graphs."""
    monkeypatch.setattr(module_facts, "read", lambda folder: published.about())
    return write(tmp_path / "small", "content")


def write(folder, content):
    (folder / "variables").mkdir(parents=True)
    (folder / "tfhub_module.pb").write_text(content)
    (folder / "variables" / "values").write_text(content * 100)
    return folder


def test_the_command_publishes_to_a_bucket(bucket, exported, capsys, tmp_path):
    site = f"{bucket}/hub"
    flags = [f"--module={exported}", f"--site={site}/", f"--name={NAME}"]
    assert command.run(["publish", *flags, "--url=https://models.example.com"]) == 0
    archive = f"{site}/{NAME}/1.tar.gz"
    assert capsys.readouterr().out == (
        f"Published: version 1 of {NAME}\nArchive:   {archive}\n"
        f"SHA-256:   {Site.open(site).versions(NAME)[0].archive_sha256}\n"
        f"Page:      {site}/{NAME}/1\nHandle:    https://models.example.com/{NAME}/1\n"
    )
    check_whole(site)
    content = stores.content(site)
    page = content[f"{NAME}/1/index.html"].decode()
    assert 'src="picture-1.png"' in page
    assert content[f"{NAME}/1/picture-1.png"].startswith(b"\x89PNG")
    folder = hub.resolve(archive)
    assert read_folder(folder) == read_folder(exported)
    again = publish(archive, site, "acme/mirrored")  # also a module of a store
    assert again.version.module_sha256 == digests.of_module(folder)
    types = {"index.html": "text/html", "site.css": "text/css", "index.json": "application/json"}
    import s3fs

    for name, kind in types.items():
        assert s3fs.S3FileSystem().info(f"{site}/{name}")["ContentType"] == kind
    assert command.run(["publish", *flags[1:], "--version=1", "--withdraw=Wrong labels."]) == 0
    check_whole(site)
    assert b"Wrong labels." in stores.content(site)[f"{NAME}/1/index.html"]
    assert not list(tmp_path.glob(".*"))


def test_versions_come_one_after_another(small, tmp_path):
    site = "memory://stored-site/hub"
    assert publish(small, site, NAME).version.number == 1
    before = stores.content(f"{site}/{NAME}/1")
    other = write(tmp_path / "other", "other")
    assert publish(other, site, NAME).version.number == 2
    check_whole(site)
    after = stores.content(f"{site}/{NAME}/1")
    assert {name for name in before if before[name] != after[name]} == {"index.html"}
    assert publish(small, site, NAME, 7).version.number == 7
    assert publish(small, site, NAME, 5).version.number == 5
    assert publish(small, site, NAME).version.number == 8
    withdraw(site, NAME, 8, "Wrong labels.")
    check_whole(site)
    with pytest.raises(
        errors.VersionTakenError, match="There is a version 5 of acme/reviews-en in"
    ):
        publish(small, site, NAME, 5)
    publish(small, site, "acme/other")
    assert list(Site.open(site).models()) == ["acme/other", NAME]
    check_whole(site)


def test_a_place_of_something_else_is_no_site(small):
    files.write_text("memory://stored-no-site/hub/notes.txt", "x")
    with pytest.raises(errors.SiteError, match="is no site, and not empty: it holds notes.txt"):
        publish(small, "memory://stored-no-site/hub", NAME)
    with pytest.raises(errors.SiteError, match="is no site: it has no site.json"):
        withdraw("memory://stored-no-site/other", NAME, 1, "x")


def test_a_login_in_the_place_is_refused(small):
    with pytest.raises(errors.InvalidSettingError) as caught:
        publish(small, "s3://key:my-secret@bucket/hub", NAME)
    assert str(caught.value).startswith("The site is 's3://bucket/hub' with a login, which")


def test_a_store_that_refuses_is_named_in_one_line(bucket, small, other_login, capsys):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        other_login.delenv(name)
    other_login.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nothing")
    stores.forget()
    flags = [f"--module={small}", f"--site={bucket}/hub", f"--name={NAME}"]
    assert command.run(["publish", *flags]) == 1
    assert capsys.readouterr().err == (
        f"error: '{bucket}/hub' cannot be used: Unable to locate credentials. Check the path, the "
        "network, and the credentials where the library of the store looks for them.\n"
    )


# --- others at once, and kills ---------------------------------------------------------------

PROGRAM = """
import os, signal, sys
from hub_estimator import files
from hub_estimator.site import module_facts, publishing
from tests.site import published
module_facts.read = lambda folder: published.about()
module, site, times, last = sys.argv[1:]
put, done = files.stores.Store.put, []
def counted(store, source, path, mode="overwrite"):
    put(store, source, path, mode)
    done.append(path)
    if path.endswith(last):
        os.kill(os.getpid(), signal.SIGKILL)
files.stores.Store.put = counted
for _ in range(int(times)):
    print(publishing.publish(module, site, "acme/reviews-en").version.number, flush=True)
"""


def start(module, site, own_cache, times=1, last=None):
    """Starts a publisher that knows of no other one, as on another machine."""
    arguments = [str(module), site, str(times), last or "never"]
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "XDG_CACHE_HOME": str(own_cache)},
    )  # fmt: skip


def test_publishers_at_once_give_a_version_each(bucket, small, tmp_path):
    site = f"{bucket}/hub"
    started = [start(small, site, tmp_path / f"cache-{number}", 3) for number in range(2)]
    numbers = [int(line) for process in started for line in process.communicate()[0].split()]
    assert [process.returncode for process in started] == [0, 0]
    assert sorted(numbers) == list(range(1, 7))
    check_whole(site)


@pytest.mark.parametrize("last", ["1.tar.gz", "version.json"])
def test_a_publisher_that_is_killed(bucket, small, tmp_path, last):
    site = f"{bucket}/hub"
    process = start(small, site, tmp_path / "cache", last=last)
    assert process.wait() == -9
    is_there = last == "version.json"
    assert [version.number for version in Site.open(site).versions(NAME)] == [1] * is_there
    made = publish(small, site, NAME)
    assert made.version.number == 2  # somebody may have got the archive of the first
    check_whole(site)


class _DeadError(BaseException):
    pass


def test_a_death_before_any_step_leaves_what_is_whole(small, monkeypatch):
    """In one process, which does nothing to the store any more from some step on."""
    for number in itertools.count(1):
        site = f"memory://stored-deaths/{number}"
        publish(small, site, NAME)
        steps = itertools.count(1)
        with monkeypatch.context() as patch:
            for name in ("put", "copy", "remove"):
                patch.setattr(files.stores.Store, name, _dying(name, steps, number))
            try:
                publish(small, site, NAME)
            except _DeadError:
                is_dead = True
            else:
                is_dead = False
        for version in Site.open(site).versions(NAME):
            assert digests.of_file(f"{site}/{version.handle}.tar.gz") == version.archive_sha256
            assert files.exists(f"{site}/{version.handle}/index.html")
        publish(small, site, NAME)
        check_whole(site)
        if not is_dead:
            break
    assert number > 8


def _dying(name, steps, number):
    do = getattr(files.stores.Store, name)

    def step(*arguments, **options):
        if next(steps) >= number:
            raise _DeadError
        return do(*arguments, **options)

    return step


def test_what_others_publish_while_pages_are_written_is_not_lost(small, monkeypatch):
    """The index that was written last has all, whoever wrote it."""
    site = "memory://stored-others/hub"
    publish(small, site, NAME)
    put = files.stores.Store.put
    pending = [True]

    def put_and_be_overtaken(store, source, path, mode="overwrite"):
        if path.endswith("/index.json") and pending.pop() if pending else False:
            publish(small, site, NAME)  # as another machine, to the end
        put(store, source, path, mode)

    monkeypatch.setattr(files.stores.Store, "put", put_and_be_overtaken)
    monkeypatch.setattr(
        Site, "held", lambda site: contextlib.nullcontext()
    )  # of this machine alone
    assert publish(small, site, NAME).version.number == 2
    assert [version.number for version in Site.open(site).versions(NAME)] == [3, 2, 1]
    check_whole(site)
