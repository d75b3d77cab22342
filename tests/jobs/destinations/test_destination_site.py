"""A site as a destination: each checkpoint once, whoever dies or publishes by hand meanwhile."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

from hub_estimator import digests, errors
from hub_estimator.jobs.destinations import site_publication
from hub_estimator.jobs.destinations.destination import Publication
from hub_estimator.jobs.destinations.folders import Folder
from hub_estimator.jobs.destinations.site import Site
from hub_estimator.jobs.job import ExportJob
from hub_estimator.site import publishing, withdrawing
from tests import text_data
from tests.jobs import job_parts
from tests.site import published
from tests.site.sites import check_whole

NAME = published.NAME


@pytest.fixture
def export(tmp_path):
    path = str(tmp_path / "export")
    job_parts.write_export(path, "abc", "content")
    return path


@pytest.fixture
def here(monkeypatch):
    """Publishes in this process, where nothing reads the module's graphs."""
    job_parts.publish_to_sites_here(monkeypatch.setattr)


@pytest.fixture
def site(tmp_path):
    return Site(str(tmp_path / "hub"), NAME)


def publication(sha256, job="reviews", step=1):
    return Publication(job, step, sha256, 1000.0, {"loss": 0.5})


def found(site, job="reviews"):
    return [(version.name, version.is_current) for version in site.versions(job)]


def test_a_real_module_in_a_process_of_its_own(tmp_path):
    export, model_dir = tmp_path / "export", tmp_path / "model"
    text_data.write_module(export / "text")
    (export / "global_step").write_text("7\n")
    (export / "checkpoint.json").write_text("{}")
    model_dir.mkdir()
    (model_dir / "operative_config.gin").write_text("MODULE = 'given'\n")
    (tmp_path / "about.md").write_text("Vectors of words.")
    url = "https://models.example.com"
    site = Site(str(tmp_path / "hub"), NAME, description=str(tmp_path / "about.md"), url=url)
    made = site.publish(str(export), publication("a"), True, str(model_dir))
    assert (made.name, made.is_current) == ("1", True)
    assert made.path == f"{tmp_path}/hub/{NAME}/1.tar.gz" and made.publication == publication("a")
    check_whole(tmp_path / "hub")
    record = json.loads((tmp_path / "hub" / NAME / "1" / "version.json").read_text())
    assert record["module_sha256"] == digests.of_module(str(export / "text"))
    assert record["publication"] == dataclasses.asdict(publication("a"))
    assert record["training"]["step"] == 7
    page = (tmp_path / "hub" / NAME / "1" / "index.html").read_text()
    assert "Vectors of words." in page
    assert json.loads((tmp_path / "hub" / "site.json").read_text())["url"] == url
    assert record["training"]["config"] == "MODULE = 'given'\n"


@pytest.mark.one_tensorflow
def test_what_the_process_fails_of_is_told(site, export):
    with pytest.raises(errors.ExportError) as caught:  # it is no module that can be read
        site.publish(export, publication("a"), True)
    begin = f"{export}/text/tfhub_module.pb is not a ModuleDef, or it is damaged ("
    assert str(caught.value).startswith(begin)  # protobuf says why, each release otherwise
    assert str(caught.value).endswith("). Fetch the module again.")
    assert found(site) == []


def test_a_process_without_an_answer(site, export, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(errors.ExportError) as caught:
        site.publish(export, publication("a"), True)
    assert str(caught.value) == (
        f"The publication of {NAME} in '{site.path}' ended with status 1, without an answer."
    )


def test_a_process_that_takes_too_long(tmp_path, export):
    site = Site(str(tmp_path / "hub"), NAME, timeout_minutes=0.0001)
    with pytest.raises(errors.RunTooLongError) as caught:
        site.publish(export, publication("a"), True)
    assert str(caught.value) == (
        f"The publication of {NAME} in '{site.path}' took longer than 0.0001 minutes and was ended. "
        "Raise Site.timeout_minutes, or see who else publishes there."
    )


@pytest.mark.one_tensorflow
def test_two_processes_at_once_publish_a_checkpoint_once(tmp_path, site):
    text_data.write_module(tmp_path / "module")
    request = site_publication.Request(
        site.path, NAME, str(tmp_path / "module"), publication("a"), True
    )
    processes = []
    for number in range(2):
        command = site_publication.command(str(tmp_path / f"{number}"))
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        process = subprocess.Popen(command, stdin=subprocess.PIPE, env=environment)
        assert process.stdin is not None
        process.stdin.write(json.dumps(dataclasses.asdict(request)).encode())
        process.stdin.close()
        processes.append(process)
    assert [process.wait(120) for process in processes] == [0, 0]
    assert found(site) == [("1", True)]
    assert [(tmp_path / name).read_text() for name in "01"] == ["", ""]
    check_whole(tmp_path / "hub")


@pytest.mark.usefixtures("here")
def test_each_checkpoint_once(site, export):
    assert site.publish(export, publication("a"), True).name == "1"
    assert site.publish(export, publication("b", step=2), False).name == "2"
    again = site.publish(export, publication("a"), False)
    assert (again.name, again.is_current) == ("1", False)
    assert found(site) == [("1", False), ("2", True)]
    check_whole(pathlib.Path(site.path))


@pytest.mark.usefixtures("here")
def test_versions_of_others_are_not_ours(site, export):
    publishing.publish(f"{export}/text", site.path, NAME)
    assert found(site) == []
    assert site.publish(export, publication("a"), True).name == "2"
    publishing.publish(f"{export}/text", site.path, NAME, publication={"job": "reviews"})
    assert found(site) == [("2", False)] and found(site, "images") == []
    assert site.publish(export, publication("a", "images"), True).name == "4"
    other = Site(site.path, "acme/other")
    assert other.publish(export, publication("a"), True).name == "1"
    assert other.place != site.place


@pytest.mark.usefixtures("here")
def test_one_that_is_removed_is_withdrawn(site, export):
    first = site.publish(export, publication("a"), True)
    site.publish(export, publication("b"), False)
    site.remove(first)
    assert found(site) == [("2", True)] and not os.path.exists(first.path)
    assert (
        "removed by age or quality, as the job that published it is set"
        in (pathlib.Path(site.path) / NAME / "1" / "index.html").read_text()
    )
    assert site.publish(export, publication("c"), False).name == "3"
    check_whole(pathlib.Path(site.path))


@pytest.mark.usefixtures("here")
def test_a_withdrawn_checkpoint_is_not_published_again(site, export):
    site.publish(export, publication("a"), True)
    withdrawing.withdraw(site.path, NAME, 1, "Wrong labels.")
    assert site.publish(export, publication("a"), True).name == "1" and found(site) == []


@pytest.mark.usefixtures("here")
def test_which_module(tmp_path, export):
    shutil.copytree(f"{export}/text", f"{export}/image")
    path = str(tmp_path / "hub")
    with pytest.raises(errors.ExportError) as caught:
        Site(path, NAME).publish(export, publication("a"), True)
    assert str(caught.value) == (
        f"The model exports the modules 'image', 'text', and {NAME} in '{path}' can be one of them. "
        "Say which: Site.module."
    )
    with pytest.raises(errors.ExportError) as caught:
        Site(path, NAME, "words").publish(export, publication("a"), True)
    assert str(caught.value) == (
        "Site.module is 'words', and the model exports no module of this name. It exports 'image', "
        "'text'."
    )
    assert not os.path.exists(path)
    assert Site(path, NAME, "text").publish(export, publication("a"), True).name == "1"
    assert Site(path, "acme/images", "image").publish(export, publication("a"), True).name == "1"


def test_a_site_that_is_away(site):
    with pytest.raises(errors.ExportError) as caught:
        site.check(is_first=False)
    assert str(caught.value) == (
        f"The site '{site.path}', which has published versions, is not there: its disk is away, or it "
        "was removed. Bring it back, or begin one there with hub_estimator.publish."
    )
    assert found(site) == [] and not os.path.exists(site.path)


def test_a_folder_that_is_no_site(site):
    os.makedirs(f"{site.path}/others")
    with pytest.raises(errors.SiteError) as caught:
        site.check(is_first=True)
    assert str(caught.value) == (
        f"'{site.path}' is no site, and not empty: it holds others. Choose an empty folder, or one "
        "that is not there."
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Site("", NAME), "Site.path is ''; it must be a path in quotes."),
        (
            lambda: Site("gs://x/y", NAME),
            "'gcs://x/y' needs a library that reaches gcs://: pip install gcsfs.",
        ),
        (
            lambda: Site("hub", "reviews"),
            (
                "'reviews' cannot be the name of a published model. Give an owner and a model, as in "
                "acme/reviews-en: each begins with a lower-case letter, and has these, digits, '-' and "
                "'_', at most 64."
            ),
        ),
        (
            lambda: Site("hub", NAME, url="models"),
            (
                "'models' cannot be the address of a site. Write it as in https://models.example.com or "
                "https://example.com/models."
            ),
        ),
        (
            lambda: Site("hub", NAME, timeout_minutes=0),
            "Site.timeout_minutes is 0; it must be greater than 0.",
        ),
        (
            lambda: ExportJob("job", "model", [Folder("x"), Site("hub", NAME)], what="model"),
            (
                "ExportJob.what is 'model'; a site has modules. Set ExportJob.what = 'modules', or take "
                "@Site() out of ExportJob.destinations."
            ),
        ),
    ],
)
def test_settings_that_cannot_be(make, message):
    with pytest.raises(errors.Error) as caught:
        make()
    assert str(caught.value) == message


def test_the_extra_is_named_where_it_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(errors.MissingExtraError) as caught:
        Site("hub", NAME)
    assert str(caught.value) == (
        "Publishing makes pages, which needs: pip install 'hub_estimator[site]'."
    )
