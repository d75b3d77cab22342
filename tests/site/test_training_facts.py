"""What is known of the training of a module: of records that may be anybody's."""

from __future__ import annotations

import json
import os

import pytest

from hub_estimator import errors
from hub_estimator.site import training_facts
from hub_estimator.site.training_facts import TrainingFacts
from tests.site.conftest import PNG


def folders(exported):
    """The folders of an export and of its run."""
    return exported.parent, exported.parents[3]


def read(exported, **arguments):
    return training_facts.read(str(exported), **arguments)


def test_a_module_from_elsewhere_has_none(module):
    assert read(module) == TrainingFacts()


def test_an_export_elsewhere_has_its_records_alone(exported, tmp_path):
    moved = (exported.parent).rename(tmp_path / "moved") / "text"
    assert set(read(moved).content) == {"step", "metrics", "parent"}
    assert read(moved).pictures == ()
    run = tmp_path / "run"
    assert "config" in read(moved, model_dir=str(run)).content
    assert len(read(moved, model_dir=str(run)).pictures) == 2


def test_a_model_folder_is_one(exported, module, tmp_path):
    with pytest.raises(errors.ModelFolderError) as caught:
        read(exported, model_dir=str(tmp_path))
    assert str(caught.value) == (
        f"{str(tmp_path)!r} is no model folder: it has no operative_config.gin. Give the --model_dir of "
        "a run of hub_estimator.train."
    )
    with pytest.raises(errors.ModelFolderError) as caught:
        read(module, model_dir=str(folders(exported)[1]))
    assert str(caught.value) == (
        f"{str(module)!r} was not exported by a run: there is no checkpoint.json beside it, so it is "
        "not known which step of the run it is of. Leave --model_dir out."
    )


def test_the_report_of_another_step_is_not_its_own(exported):
    (exported.parent / "global_step").write_text("1000")
    facts = read(exported)
    assert facts.content["step"] == 1000 and "data" not in facts.content and facts.pictures == ()


def test_pictures_of_heads_are_named_by_them_and_examples_stay_out(exported):
    report = folders(exported)[1] / "report"
    (report / "stars").mkdir()
    (report / "stars" / "roc.png").write_bytes(PNG)
    assert [title for title, _ in read(exported).pictures] == [
        "Confusion matrix",
        "Roc",
        "stars: Roc",
    ]


def test_what_is_no_picture_stays_out(exported, tmp_path):
    report = folders(exported)[1] / "report"
    (tmp_path / "secret.png").write_bytes(PNG + b"secret")
    (report / "link.png").symlink_to(tmp_path / "secret.png")
    (report / "page.png").write_text("<script>")
    (report / "large.png").write_bytes(PNG + bytes(5 << 20))
    (report / "folder.png").mkdir()
    os.mkfifo(report / "pipe.png")
    for number in range(30):
        (report / f"z{number}.png").write_bytes(PNG)
    found = read(exported).pictures
    assert len(found) == 20 and [title for title, _ in found[:3]] == [
        "Confusion matrix",
        "Roc",
        "Z0",
    ]


@pytest.mark.parametrize(
    "text", ["", "[]", "{", "3", '{"a": NaN}', '{"a": 1, "a": 2}', "[" * 10_000, '{"text": 3}']
)
def test_records_of_another_kind_are_none(exported, text):
    export, run = folders(exported)
    for path in (
        export / "metrics.json",
        export / "checkpoint.json",
        run / "training_classes.json",
    ):
        path.write_text(text)
    (export / "global_step").write_text(text)
    assert set(read(exported).content) <= {"metrics", "config", "step"}


@pytest.mark.parametrize(
    "parent",
    [
        "3",
        '{"text": 3}',
        '{"text": {"handle": "x"}}',
        '{"text": {"handle": 3, "sha256": "%s"}}',
        '{"text": {"handle": "x", "sha256": "%s<script>"}}',
        '{"other": {"handle": "x", "sha256": "%s"}}',
    ],
)
def test_a_parent_has_a_handle_and_a_digest(exported, parent):
    parents = parent.replace("%s", "ab" * 32)
    (exported.parent / "checkpoint.json").write_text(f'{{"parents": {parents}}}')
    assert "parent" not in read(exported).content


def test_logins_stay_out(exported):
    _, run = folders(exported)
    (run / "operative_config.gin").write_text(
        "MODULE = 'https://me:secret@models.example.com/a/1'\n"
    )
    (run / "report" / "report.md").write_text(
        "# Evaluation at step 2000\n\n- Data: https://me:secret@data.example.com/test.csv\n"
    )
    parent = {"text": {"handle": "https://me:secret@a.example/1", "sha256": "ab" * 32}}
    (exported.parent / "checkpoint.json").write_text(json.dumps({"parents": parent}))
    content = read(exported).content
    assert content["config"] == "MODULE = 'https://models.example.com/a/1'\n"
    assert content["data"] == "https://data.example.com/test.csv"
    assert content["parent"]["handle"] == "https://a.example/1"


def test_the_name_of_a_head_is_one_that_can_be_written(exported):
    _, run = folders(exported)
    (run / "training_classes.json").write_text('{"a\\ud800\\n": {"counts": [1]}}')
    assert read(exported).content["classes"] == {"a\\ud800": [["0", 1]]}


def test_links_are_not_followed(exported, tmp_path):
    _, run = folders(exported)
    (tmp_path / "secret").write_text("secret")
    for path in (run / "operative_config.gin", run / "training_classes.json"):
        path.unlink()
        path.symlink_to(tmp_path / "secret")
    assert "secret" not in str(read(exported).content)
