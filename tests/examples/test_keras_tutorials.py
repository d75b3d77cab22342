"""The two tutorials of TF Hub on Keras: they learn, and what they save has learned."""

from __future__ import annotations

import importlib.util
import re

import numpy as np
import pytest

from examples.keras_tutorials import images, saving, texts
from examples.text_embeddings import module as text_module
from examples.text_embeddings.vectors import WordVectors
from hub_estimator import errors


@pytest.fixture(autouse=True)
def fresh_graph():
    """Keras works eagerly: no default graph here, unlike in other tests."""


@pytest.fixture
def reviews(tmp_path):
    """A folder of reviews that one word decides, and how to publish a module of some vectors."""
    folder = tmp_path / "reviews"
    folder.mkdir()
    rows = "".join(f"a {('good', 'bad')[i % 2]} film,{(i + 1) % 2}\n" for i in range(400))
    for name in ("train", "test"):
        (folder / f"{name}.csv").write_text(f"text,label\n{rows}", encoding="utf-8")

    def publish(vectors):
        words = WordVectors(["good", "bad", "film"], np.array(vectors, np.float32))
        return text_module.publish(words, tmp_path / "module")

    return str(folder), publish


def test_texts(tmp_path, reviews, capsys, monkeypatch):
    monkeypatch.setattr(texts, "BATCH", 16)  # twenty steps in each epoch
    folder, publish = reviews
    module = publish([[4, 0], [0, 4], [1, 1]])
    path = str(tmp_path / "saved" / "reviews.keras")
    argv = ["texts", f"--module={module}", f"--reviews={folder}", f"--save_path={path}"]
    assert texts.run([*argv, "--epochs=15"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert "accuracy on 400 held-out reviews: 1.0000" in printed
    assert printed[-3] == f"saved as {path}"
    assert [line[10:] for line in printed[-2:]] == [
        "a touching, wonderful film",
        "a dull and terrible waste of time",
    ]


def test_a_module_that_is_not_trained_stays_as_it_is(tmp_path, reviews, capsys):
    folder, publish = reviews
    module = publish([[1, 1]] * 3)
    argv = ["texts", f"--module={module}", f"--reviews={folder}", "--epochs=1", "--nofine_tune"]
    assert texts.run(argv) == 0
    # All words are alike, so that no layer on top of it can tell texts apart.
    assert "accuracy on 400 held-out reviews: 0.5000" in capsys.readouterr().out


@pytest.mark.skipif(
    importlib.util.find_spec("sklearn") is None, reason="scikit-learn is not installed"
)
def test_images(tmp_path, capsys):
    from examples.image_module import digits, training

    module = str(tmp_path / "module")
    training.train_and_publish(digits.load().pretrain, module, epochs=5)
    folder = digits.write_folders(tmp_path / "digits")
    path = str(tmp_path / "digits.keras")
    argv = ["images", f"--module={module}", f"--digits={folder}", f"--save_path={path}"]
    assert images.run([*argv, "--epochs=3"]) == 0
    printed = capsys.readouterr().out
    (accuracy,) = re.findall(r"accuracy on 449 held-out images: (\S+)", printed)
    assert float(accuracy) > 0.5
    found, wanted = (line.split()[-10:] for line in printed.splitlines()[-2:])
    assert sum(one == other for one, other in zip(found, wanted, strict=True)) >= 5


def test_where_a_model_can_be_saved():
    with pytest.raises(saving.WrongEndingError) as caught:
        saving.check_path("out/model")
    assert str(caught.value) == (
        "The model would be saved as out/model, and Keras saves models as files that end in .keras. "
        "Give a path such as out/model.keras."
    )


def test_a_model_is_not_saved_over_what_is_read(tmp_path):
    path = tmp_path / "module.keras"
    path.mkdir()
    with pytest.raises(errors.OutputIsInputError):
        saving.check_path(str(path), module=str(path))
