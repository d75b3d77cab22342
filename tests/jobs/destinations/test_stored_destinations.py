"""Destinations in stores: each version once and whole, whoever is killed, and what names it."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import time

import pytest

from hub_estimator import errors, files
from hub_estimator.jobs.destinations import stored_versions
from hub_estimator.jobs.destinations.destination import Publication
from hub_estimator.jobs.destinations.folders import Folder, NumberedFolder
from hub_estimator.jobs.destinations.site import Site
from hub_estimator.jobs.job import ExportJob
from hub_estimator.jobs.keeping import Keep
from hub_estimator.jobs.ledger import Ledger
from tests import stores
from tests.jobs import job_parts
from tests.site.published import NAME
from tests.site.stored_sites import check_whole

pytestmark = pytest.mark.one_tensorflow
ROOT = pathlib.Path(__file__).parents[3]
PARTS = ["checkpoint.json", "publication.json", "text/tfhub_module.pb", "text/variables/values"]


@pytest.fixture
def export(tmp_path):
    path = str(tmp_path / "export")
    job_parts.write_export(path, "abc", "content")
    return path


def publication(sha256, job="reviews", step=1):
    return Publication(job, step, sha256, 1000.0, {"loss": 0.5})


def found(folder, job="reviews"):
    return [(version.name, version.is_current) for version in folder.versions(job)]


def test_a_version_with_its_stable_path(bucket, export):
    folder = Folder(f"{bucket}/out/")
    assert folder.place == f"{bucket}/out" and folder.versions("reviews") == []
    made = folder.publish(export, publication("a"), is_first=True)
    assert made.path == f"{bucket}/out/{made.name}" and made.is_current
    assert sorted(stores.content(made.path)) == PARTS
    assert files.read_bytes(f"{bucket}/out/latest").decode() == made.name
    second = folder.publish(export, publication("b", step=2), is_first=False)
    assert int(second.name) > int(made.name)
    assert folder.publish(export, publication("a"), is_first=False).name == made.name
    assert found(folder) == [(made.name, False), (second.name, True)]


def test_numbers_go_on_after_those_of_others(export):
    folder = NumberedFolder("memory://stored-numbers/out")
    assert folder.publish(export, publication("a"), is_first=True).name == "1"
    files.write_text("memory://stored-numbers/out/7/x", "")
    files.write_text("memory://stored-numbers/out/notes", "")
    assert folder.publish(export, publication("b"), is_first=False).name == "8"
    assert found(folder) == [("1", False), ("8", True)]
    assert folder.versions("images") == []


def test_removing(export):
    folder = NumberedFolder("memory://stored-removing/out")
    first = folder.publish(export, publication("a"), is_first=True)
    folder.publish(export, publication("b"), is_first=False)
    folder.remove(first)
    assert found(folder) == [("2", True)]
    assert not files.exists(first.path)


def test_what_is_removed_is_a_version_to_the_last(export, monkeypatch):
    """So a process that is killed at it leaves what the next one removes."""
    folder = NumberedFolder("memory://stored-removed/out")
    first = folder.publish(export, publication("a"), is_first=True)
    order = []
    remove = files.stores.Store.remove
    monkeypatch.setattr(
        files.stores.Store, "remove", lambda store, path: order.append(path) or remove(store, path)
    )
    folder.remove(first)
    names = [path.removeprefix(f"{first.path}/") for path in order]
    assert names[0] == "text/tfhub_module.pb" and names[-2:] == ["publication.json", first.path]


KILLED = """
import os, signal, sys
from hub_estimator import files
from hub_estimator.jobs.destinations.destination import Publication
from hub_estimator.jobs.destinations.folders import NumberedFolder
export, place, last = sys.argv[1:]
put = files.stores.Store.put
def dying(store, source, path, mode="overwrite"):
    put(store, source, path, mode)
    if path.endswith(last):
        os.kill(os.getpid(), signal.SIGKILL)
files.stores.Store.put = dying
NumberedFolder(place).publish(export, Publication("reviews", 1, "a", 1000.0, {}), True)
"""


@pytest.mark.parametrize("last", ["publishing.json", "text/variables/values", "publication.json"])
def test_what_a_killed_process_left_is_removed_or_finished(bucket, export, last):
    place = f"{bucket}/out"
    command = [sys.executable, "-c", KILLED, export, place, last]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == -9
    folder = NumberedFolder(place)
    is_there = last == "publication.json"
    assert found(folder) == ([("1", True)] if is_there else [])
    assert files.exists(f"{place}/1/{stored_versions.CLAIM}")
    made = folder.publish(export, publication("b"), is_first=True)
    assert found(folder) == [("1", not is_there)] + [("2", True)] * is_there
    assert sorted(stores.content(made.path)) == PARTS
    assert not files.exists(f"{place}/1/{stored_versions.CLAIM}")


@pytest.mark.parametrize(
    ("claim", "is_removed"),
    [
        ({"job": "reviews", "by": ".version.tmp-00000000-1-00000000", "began": 0}, True),
        ({"job": "reviews", "by": ".version.tmp-00000000-1-00000000", "began": None}, False),
        ({"job": "images", "by": ".version.tmp-00000000-1-00000000", "began": 0}, False),
        ({"job": "reviews", "by": "x", "began": 0}, False),
        ([], False),
    ],
)
def test_what_another_machine_is_at_stays_for_a_day(export, claim, is_removed):
    place = f"memory://stored-claims/{time.monotonic_ns()}"
    if isinstance(claim, dict) and claim["began"] is None:
        claim = {**claim, "began": time.time()}
    files.write_text(f"{place}/1/publishing.json", json.dumps(claim))
    files.write_text(f"{place}/1/half", "")
    folder = NumberedFolder(place)
    made = folder.publish(export, publication("a"), is_first=True)
    assert files.exists(f"{place}/1/half") == (not is_removed)
    assert made.name == ("1" if is_removed else "2")


def test_of_two_that_take_a_name_one_takes_the_next(export, monkeypatch):
    place = "memory://stored-taken/out"
    put_new = files.put_new

    def overtaken(source, path):
        if path.endswith("/1/publishing.json"):
            files.write_text(path, "{}")
        return put_new(source, path)

    monkeypatch.setattr(files, "put_new", overtaken)
    assert NumberedFolder(place).publish(export, publication("a"), is_first=True).name == "2"


def test_a_store_that_is_away_is_not_an_empty_one(export, bucket, other_login):
    folder = NumberedFolder(f"{bucket}/out")
    folder.publish(export, publication("a"), is_first=True)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        other_login.delenv(name)
    other_login.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nothing")
    stores.forget()
    with pytest.raises(errors.RemotePlaceError, match="Unable to locate credentials"):
        folder.versions("reviews")
    with pytest.raises(errors.RemotePlaceError):
        Publication.read(f"{bucket}/out/1")


@pytest.mark.parametrize(
    ("make", "error_type", "message"),
    [
        (
            lambda: Folder("s3://key:secret@bucket/x"),
            errors.InvalidSettingError,
            (
                "Folder.path is 's3://bucket/x' with a login, which would be written down in many "
                "places. Leave it out, and put it where the library of the store looks for it."
            ),
        ),
        (
            lambda: Site("az://container/x", NAME),
            errors.MissingExtraError,
            "'az://container/x' needs a library that reaches az://: pip install adlfs.",
        ),
        (
            lambda: NumberedFolder("gs://bucket/x"),
            errors.MissingExtraError,
            "'gcs://bucket/x' needs a library that reaches gcs://: pip install gcsfs.",
        ),
        (
            lambda: NumberedFolder("ram://x"),
            errors.UnsupportedHandleError,
            (
                "NumberedFolder.path is 'ram://x', and no store is known that is written to by such a "
                "path. Give a folder of this machine, or one like s3://bucket/folder."
            ),
        ),
        (
            lambda: ExportJob("job", "s3://bucket/model", [Folder("out")]),
            errors.InvalidSettingError,
            (
                "ExportJob.model_dir is 's3://bucket/model', and TensorFlow has no filesystem s3://. "
                "Give the folder in which training runs."
            ),
        ),
    ],
)
def test_settings_that_cannot_be(make, error_type, message):
    with pytest.raises(error_type) as caught:
        make()
    assert str(caught.value) == message


def test_a_folder_in_the_place_of_the_link(export):
    files.write_text("memory://stored-link/out/latest/x", "")
    with pytest.raises(errors.ExportError, match="that is no link. Remove it, or give Folder.link"):
        Folder("memory://stored-link/out").publish(export, publication("a"), is_first=True)


def test_a_site(export, monkeypatch):
    job_parts.publish_to_sites_here(monkeypatch.setattr)
    site = Site("memory://stored-job-site/hub", NAME)
    assert site.publish(export, publication("a"), is_first=True).name == "1"
    made = site.publish(export, publication("b", step=2), is_first=False)
    assert made.path == f"memory://stored-job-site/hub/{NAME}/2.tar.gz"
    assert site.publish(export, publication("a"), is_first=False).name == "1"
    site.remove(site.versions("reviews")[0])
    assert found(site) == [("2", True)]
    site.tidy()
    check_whole("memory://stored-job-site/hub")


def test_a_job_with_all_kinds_in_one_bucket(bucket, tmp_path, monkeypatch):
    """Publishes, publishes nothing twice where the journal is lost, and removes what is old."""
    job_parts.publish_to_sites_here(monkeypatch.setattr)
    model = tmp_path / "model"
    kinds = [
        Folder(f"{bucket}/stable"),
        NumberedFolder(f"{bucket}/numbered"),
        Site(f"{bucket}/hub", NAME),
    ]
    job = ExportJob("reviews", str(model), kinds, then=["true"])
    job_parts.save(model, 1)
    (model / "operative_config.gin").touch()
    work = job_parts.FakeWork()
    outcome = job_parts.make_run(job, tmp_path / "state", work).run(False)
    assert outcome.result == "published"
    [(_, about)] = [done for done in work.done if done[0] == "then"]
    assert about["EXPORT_PATH"].startswith(f"{bucket}/stable/")
    lost = job_parts.make_run(job, tmp_path / "other_state", work, Ledger())
    assert lost.run(True).result == "unchanged"
    job_parts.save(model, 2)
    keeping = dataclasses.replace(job, keep=Keep(newest=1))
    run = job_parts.make_run(keeping, tmp_path / "other_state", work, lost.ledger)
    assert run.run(True).result == "published"
    assert [len(kind.versions("reviews")) for kind in kinds] == [1, 1, 1]
    assert os.path.basename(kinds[1].versions("reviews")[0].path) == "2"
    check_whole(f"{bucket}/hub")
    journal = (tmp_path / "state" / "journal.jsonl").read_text()
    assert stores.KEY not in journal and stores.SECRET not in journal
