"""A predictor: what the command predicts for the same rows, from one graph, by several threads."""

from __future__ import annotations

import concurrent.futures
import json
import threading

import numpy as np
import pytest

import hub_estimator as hub
from hub_estimator import errors, training
from hub_estimator.training.inputs import given_rows
from hub_estimator.training.inputs.image_folder import ImageFolder
from hub_estimator.training.inputs.text_file import TextFile
from hub_estimator.training.model.encoders import Encoder
from tests import text_data
from tests.training import image_files, runs, text_runs
from tests.training.inputs.test_inputs_in_a_run import image_model
from tests.training.running.test_predict_file import rows_of
from tests.training.training_data import write_csv

TEXTS = [f"text {number}" for number in range(21)]


@pytest.fixture(scope="module")
def trained(text_module, data_file, tmp_path_factory):
    """A model folder with two checkpoints, and the experiment."""
    path = str(tmp_path_factory.mktemp("predictor") / "model")
    return path, text_runs.trained(path, text_module, data_file, steps=2)


@pytest.fixture(scope="module")
def predictor(trained):
    with training.predictor(*trained) as opened:
        yield opened


def by_command(trained, tmp_path, header, rows, **settings):
    """What `predict` writes for rows as lines of JSON."""
    model_dir, experiment = trained
    path = write_csv(tmp_path / "rows.csv", rows, header)
    output = tmp_path / "rows.jsonl"
    training.predict(experiment, model_dir, path, output, **settings)
    return rows_of(output)


def test_rows_of_every_kind(trained, predictor, tmp_path):
    expected = by_command(trained, tmp_path, ("text",), [(text,) for text in TEXTS])
    assert set(expected[0]) == {"row", "class", "class_id", "probabilities"}
    for rows in (
        TEXTS,
        tuple(TEXTS),
        np.array(TEXTS),
        [{"text": text, "more": 1} for text in TEXTS],
        {"more": None, "text": TEXTS},
        {"text": np.array(TEXTS, object)},
    ):
        assert predictor.predict(rows) == expected


def test_frames(trained, predictor, tmp_path):
    pandas = pytest.importorskip("pandas")
    expected = by_command(trained, tmp_path, ("text",), [(text,) for text in TEXTS])
    frame = pandas.DataFrame({"text": TEXTS, "id": range(len(TEXTS))})
    assert predictor.predict(frame) == predictor.predict({"text": frame["text"]}) == expected
    assert predictor.predict(frame[:0]) == []
    with pytest.raises(errors.ColumnNotFoundError) as caught:
        predictor.predict(frame[["id"]])
    assert str(caught.value) == "The frame has no column 'text'. It has: id."


@pytest.mark.parametrize("rows", [[], (), {}, {"text": []}, {"a": 1, "text": []}, np.zeros([0])])
def test_no_rows(predictor, rows):
    assert predictor.predict(rows) == []


def test_the_checkpoint_that_is_asked_for(trained, tmp_path):
    for which, step in [(1, 1), ("latest", 2), (training.CheckpointChoice(1), 1)]:
        with training.predictor(*trained, checkpoint=which) as opened:
            assert opened.step == step
            choice = training.CheckpointChoice(step)
            expected = by_command(trained, tmp_path, ("text",), [("good",)], checkpoint=choice)
            assert opened.predict(["good"]) == expected


@pytest.mark.parametrize(
    ("rows", "error", "message"),
    [
        (
            "good",
            errors.InputError,
            (
                "Rows are a list of texts, a list of dicts, a dict of columns, or a pandas frame, "
                "not 'good'."
            ),
        ),
        (
            [{"text": "a"}, {"id": 1}],
            errors.ColumnNotFoundError,
            "Row 2 of the given rows has no 'text'. It has: id.",
        ),
        (
            {"id": [1]},
            errors.ColumnNotFoundError,
            "The given rows have no column 'text'. They have: id.",
        ),
        (
            [{"text": "a"}, "b"],
            errors.InputError,
            ("Row 2 of the given rows is 'b', and another one is a dict. Give all of one kind."),
        ),
        (
            {"text": "good"},
            errors.InputError,
            "The column 'text' of the given rows is 'good'; give it a list or an array.",
        ),
        (
            ["good", 3],
            errors.DataFileError,
            "The value 3 of 'text' in row 2 of the given rows is not a text.",
        ),
        (
            ["good", None],
            errors.DataFileError,
            "The value of 'text' in row 2 of the given rows is missing.",
        ),
    ],
)
def test_rows_that_are_wrong(predictor, rows, error, message):
    with pytest.raises(error) as caught:
        predictor.predict(rows)
    assert str(caught.value) == message
    assert len(predictor.predict(["good"])) == 1  # it goes on


def test_a_predictor_that_is_closed(trained):
    opened = training.predictor(*trained)
    opened.close()
    opened.close()
    with pytest.raises(errors.ClosedError) as caught:
        opened.predict([])
    assert str(caught.value) == (
        f"The predictor of {trained[0]!r} is closed. Call it inside of the `with` block, or before "
        "close()."
    )


def test_several_threads(predictor):
    expected = predictor.predict(TEXTS)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for found in pool.map(predictor.predict, [TEXTS] * 64):
            assert found == expected


def test_closing_waits_for_calls_under_way(trained, monkeypatch):
    opened = training.predictor(*trained)
    inside, go_on = threading.Event(), threading.Event()
    read = given_rows.read

    def slowly(*arguments):
        inside.set()
        assert go_on.wait(60)
        return read(*arguments)

    monkeypatch.setattr(given_rows, "read", slowly)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        found = pool.submit(opened.predict, ["good"])
        assert inside.wait(60)
        closing = pool.submit(opened.close)
        assert not concurrent.futures.wait([closing], 0.2).done
        go_on.set()
        assert len(found.result(60)) == 1
        closing.result(60)


def numbers_module_fn():
    import tensorflow as tf

    numbers = tf.compat.v1.placeholder(tf.float32, [None, 2])
    hub.add_signature(inputs={"numbers": numbers}, outputs=2 * numbers)


def test_several_columns(make_model, folder, tmp_path):
    rows = [(n / 3, -n, n % 2) for n in range(8)]
    path = write_csv(tmp_path / "n.csv", rows, ("a", "b", "label"))
    source = TextFile(path, numbers={"numbers": ["a", "b"]}, batch_size=3)
    encoder = Encoder(hub.create_module_spec(numbers_module_fn), feature="numbers")
    experiment = runs.experiment(make_model(encoders=[encoder]), source, source)
    training.train_and_evaluate(experiment, folder.path)
    expected = by_command(
        (folder.path, experiment), tmp_path, ("a", "b"), [row[:2] for row in rows]
    )
    with training.predictor(folder.path, experiment) as opened:
        assert opened.predict([{"a": a, "b": b} for a, b, _ in rows]) == expected
        as_texts = {"a": [str(a) for a, _, _ in rows], "b": np.array([b for _, b, _ in rows])}
        assert opened.predict(as_texts) == expected
        for given, message in [
            (
                [1, 2],
                (
                    "The model takes the columns a, b, so each row needs them by name, as in "
                    "{'a': ...}; the first is 1."
                ),
            ),
            (
                {"a": [1], "b": [1, 2]},
                "The columns of the given rows differ in length: 'a' has 1, 'b' has 2.",
            ),
            (
                {"a": ["x"], "b": [1]},
                "The value 'x' of 'a' in row 1 of the given rows is not a number.",
            ),
        ]:
            with pytest.raises(errors.Error) as caught:
                opened.predict(given)
            assert str(caught.value) == message


@pytest.fixture
def images(tmp_path):
    return image_files.write_two_classes(tmp_path / "images")


def test_images(make_model, images, folder, tmp_path):
    source = ImageFolder(images, batch_size=3)
    experiment = runs.experiment(image_model(make_model), source, source)
    training.train_and_evaluate(experiment, folder.path)
    training.predict(experiment, folder.path, images, tmp_path / "out.jsonl")
    expected = rows_of(tmp_path / "out.jsonl")
    paths = [row.pop("path") for row in expected]
    assert paths == sorted(str(path) for path in images.rglob("*.bmp"))
    contents = [path.read_bytes() for path in map(type(images), paths)]
    with training.predictor(folder.path, experiment) as opened:
        for rows in (paths, contents, list(map(type(images), paths)), {"image": paths}):
            assert opened.predict(rows) == expected
        arrays = np.arange(3 * 16, dtype=np.uint8).reshape(3, 4, 4, 1)
        of_arrays = opened.predict(arrays)
        assert opened.predict(list(arrays)) == of_arrays
        assert opened.predict(arrays.astype(np.float32) / np.float32(255)) == of_arrays
        png = [image_files.encoded("PNG", image) for image in arrays]
        assert opened.predict(png) == of_arrays
        for given, message in [
            (
                [contents[0], b"text"],
                "The image in row 2 of the given rows is no PNG, JPEG, BMP or GIF image.",
            ),
            (
                [contents[0], contents[1][:40]],
                (
                    "The image in row 2 of the given rows cannot be read: it is damaged or cut short, "
                    "or of a variant that TensorFlow does not decode."
                ),
            ),
            ([f"{images}/no.bmp"], None),
            (
                [paths[0], arrays[0]],
                (
                    "Some images are files and some are arrays: row 2 of the given rows is ndarray. "
                    "Give all of one kind."
                ),
            ),
            (
                [arrays[0], arrays[0][:2]],
                (
                    "The arrays of the given rows differ in shape: [4, 4, 1] in row 1 of the given "
                    "rows, [2, 4, 1] in row 2 of the given rows."
                ),
            ),
            (
                arrays[:, :2],
                (
                    "The feature 'image' of the given rows has the shape [batch, 2, 4, 1], the model "
                    "takes [batch, 4, 4, 1]."
                ),
            ),
        ]:
            with pytest.raises(errors.DataFileError if message is None else errors.Error) as caught:
                opened.predict(given)
            assert message is None or str(caught.value) == message


@pytest.fixture
def gin_folders(tmp_path, monkeypatch):
    """Two model folders of gin files, and the module of both."""
    monkeypatch.chdir(tmp_path)
    text_data.write_module("module")
    text_data.write_data("data.csv", 64)
    settings = ["MODULE='module'", "TRAIN_DATA='data.csv'", "EVAL_DATA='data.csv'"]
    for name, steps in [("one", 2), ("two", 20)]:
        with training.from_gin(["smoke.gin"], [*settings, f"MAX_STEPS={steps}"]) as experiment:
            training.train_and_evaluate(experiment, name)
    return tmp_path


def test_two_folders_of_gin_files_at_once(gin_folders):
    expected = {}
    for name in ("one", "two"):
        with training.from_gin([f"{name}/operative_config.gin"]) as experiment:
            training.predict(experiment, name, "data.csv", f"{name}.jsonl")
        expected[name] = rows_of(gin_folders / f"{name}.jsonl")
    rows = ["good" if number % 2 else "bad" for number in range(64)]
    with training.predictor("one") as one, training.predictor("two") as two:
        assert one.predict(rows) == expected["one"] != expected["two"] == two.predict(rows)
        assert json.dumps(two.predict(rows)) == json.dumps(expected["two"])


def test_settings_that_nothing_reads(gin_folders):
    with pytest.raises(
        errors.UnreadBindingError, match="Nothing reads this setting: LEARNING_RAT "
    ):
        training.predictor("one", gin_bindings=["LEARNING_RAT = 1"])


def test_settings_beside_an_experiment(trained):
    with pytest.raises(errors.InvalidSettingError) as caught:
        training.predictor(*trained, gin_bindings=["SEED = 1"])
    assert str(caught.value) == (
        "predictor.experiment is given, so gin_bindings and allowed_imports have no effect. Change "
        "the experiment with dataclasses.replace, or leave it out."
    )


def test_a_folder_of_a_run_in_python(trained):
    with pytest.raises(
        errors.ModelFolderError, match="was made in Python, so commands do not know"
    ):
        training.predictor(trained[0])
