"""The worst mistakes of a report: which examples they are, and the images of them."""

from __future__ import annotations

import csv
import os
import pathlib
import types

import numpy as np
import pytest
import tensorflow as tf

from hub_estimator import errors
from hub_estimator.training.charts.report_table import ReportTable
from hub_estimator.training.inputs.arrays import Arrays
from hub_estimator.training.inputs.image_folder import ImageFolder
from hub_estimator.training.inputs.records import Records
from hub_estimator.training.inputs.text_file import TextFile
from hub_estimator.training.reports import worst_images
from hub_estimator.training.reports.mistake_images import MistakeImages
from hub_estimator.training.reports.report import Report
from tests.training import image_files, runs
from tests.training.inputs.test_inputs_in_a_run import image_model
from tests.training.inputs.test_records import write as write_records
from tests.training.record_data import example
from tests.training.training_data import write_csv

IMAGES = [np.full([4, 4, 1], 40 * number, np.uint8) for number in range(6)]
LABELS = [number % 2 for number in range(6)]  # which no brightness tells


@pytest.fixture
def run(tmp_path):
    """Trains a step on some examples; returns the folder of the report."""

    def train(model, source, report=None):
        report = report or Report(pictures=None)
        runs.train(tmp_path / "model", model, source, source, 1, 1, report=report)
        return tmp_path / "model" / "report"

    return train


def mistakes(folder):
    with open(folder / "worst_mistakes.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def decoded(path: pathlib.Path):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        return session.run(tf.io.decode_png(path.read_bytes()))


def test_columns_that_are_asked_for(run, make_model, tmp_path):
    rows = [("good", number % 2, f"id {number}", number) for number in range(8)]
    path = write_csv(tmp_path / "data.csv", rows, ("text", "label", "id", "true"))
    folder = run(make_model(), TextFile(path), Report(keep=["id", "true"]))
    found = mistakes(folder)
    assert list(found[0])[:5] == ["row", "id", "true (column)", "true", "predicted"]
    assert len(found) == 4
    for mistake in found:
        number = int(mistake["row"]) - 1
        assert (mistake["id"], mistake["true (column)"]) == (f"id {number}", str(number))


def test_columns_that_are_not_there_stop_a_run_before_it_begins(
    run, make_model, examples, tmp_path
):
    with pytest.raises(errors.ColumnNotFoundError, match="has no column 'id'"):
        run(make_model(), examples, Report(keep=["id"]))
    assert not (tmp_path / "model").exists()
    run(make_model(), examples)
    with pytest.raises(errors.ColumnNotFoundError, match="has no column 'id'"):
        runs.evaluate(tmp_path / "model", make_model(), examples, report=Report(keep=["id"]))


def image_folder(tmp_path):
    """A folder whose class is an odd name."""
    for number, image in enumerate(IMAGES):
        path = tmp_path / "images" / ("a_*x", "b")[LABELS[number]] / f"{number}.bmp"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(image_files.bmp(image))
    return ImageFolder(tmp_path / "images", batch_size=4)


def records(tmp_path):
    files = [image_files.encoded("PNG", image) for image in IMAGES]
    examples = [example(image=[f], label=[n]) for f, n in zip(files, LABELS, strict=True)]
    return Records(write_records(tmp_path / "images", *examples), batch_size=4)


def arrays(tmp_path):
    return Arrays({"image": np.stack(IMAGES)}, LABELS, batch_size=4)


@pytest.mark.parametrize("make", [image_folder, records, arrays])
def test_images_of_the_worst_mistakes(run, make_model, tmp_path, make):
    source = make(tmp_path)
    folder = run(image_model(make_model), source)
    found = mistakes(folder)
    names = [f"{mistake['row']}_1.png" for mistake in found]
    assert found and sorted(os.listdir(folder / "images")) == sorted(names)
    text = (folder / "report.md").read_text()
    order = [n for n in range(6) if n % 2 == 0] + [1, 3, 5] if make is image_folder else range(6)
    for mistake, name in zip(found, names, strict=True):
        row = int(mistake["row"])
        image = IMAGES[list(order)[row - 1]]
        assert (decoded(folder / "images" / name) == image).all()
        assert f"\n#### Row {row}\n\n![row {row}](images/{name})\n\n" in text
    if make is image_folder:
        for mistake in found:
            assert np.array_equal(
                IMAGES[int(pathlib.Path(mistake["path"]).stem)],
                decoded(folder / "images" / f"{mistake['row']}_1.png"),
            )
        assert "true: a\\_\\*x" in text or "predicted: a\\_\\*x" in text
        assert "a_*x" not in text
        data = str(tmp_path / "images").replace("_", "\\_")
        assert f"- Data: {data}, 6 examples\n" in text


def test_without_pictures(run, make_model, tmp_path):
    folder = run(image_model(make_model), arrays(tmp_path), Report(pictures=False))
    assert not (folder / "images").exists()
    assert "Images of" not in (folder / "report.md").read_text()


def test_data_that_is_gone(run, make_model, tmp_path, caplog, monkeypatch):
    source = image_folder(tmp_path)
    draw = worst_images.draw

    def gone(*arguments):
        for path in (tmp_path / "images").rglob("*.bmp"):
            path.unlink()
        return draw(*arguments)

    monkeypatch.setattr(worst_images, "draw", gone)
    folder = run(image_model(make_model), source)
    (message,) = [text for text in caplog.messages if "does not show the images" in text]
    assert "The image file '" in message and "cannot be read" in message
    assert mistakes(folder) and not (folder / "images").exists()


def test_large_images_are_made_small():
    image = np.zeros([300, 600, 3], np.uint8)
    image[:, 300:] = [0, 100, 255]
    values = (image / 255).astype(np.float32)[np.newaxis]
    spec = types.SimpleNamespace(features={"image": tf.TensorSpec(values.shape, tf.float32)})
    trained = types.SimpleNamespace(spec=spec, eval_input=None)
    found = worst_images.draw(
        trained, lambda: tf.data.Dataset.from_tensors(({"image": values}, [0])), [0]
    )
    ((png,),) = found.values()
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        small = session.run(tf.io.decode_png(png))
    assert small.shape == (64, 128, 3) and small[32, 120].tolist() == [0, 100, 255]


def test_only_some_mistakes_are_shown():
    table = ReportTable(("row", "a_b"), [(row, "x|<y>") for row in (7, 3, 9)])
    found = MistakeImages.of("head/images", table, {8: [b"9"], 6: [b"7", b"7b"], 0: [b"1"]})
    assert found.files == {
        "head/images/7_1.png": b"7",
        "head/images/7_2.png": b"7b",
        "head/images/9_1.png": b"9",
    }
    assert found.lines() == [
        *("### Images of the worst mistakes", ""),
        *("#### Row 7", "", "![row 7](head/images/7_1.png) ![row 7](head/images/7_2.png)", ""),
        *("a\\_b: x\\|\\<y>", ""),
        *("#### Row 9", "", "![row 9](head/images/9_1.png)", "", "a\\_b: x\\|\\<y>", ""),
    ]
    assert MistakeImages.of("images", table, {}).lines() == []
