"""Savers that are sure of a checkpoint before they count on it, and that remove none."""

from __future__ import annotations

import os

import tensorflow as tf

from hub_estimator import files

_ALL = 2**31 - 1  # the greatest number there; 0 would keep all too, and list but the newest one


def keep_all(saver: tf.compat.v1.train.Saver) -> None:
    """Lets a saver remove no older checkpoints, however many it was made to keep; it lists them all.

    Args:
      saver: the saver, once it is built.
    """
    # The proto itself, which the saver looks at after each save, and no copy of it.
    saver.as_saver_def().max_to_keep = _ALL


class FlushedSaver(tf.compat.v1.train.Saver):
    """A `Saver` whose checkpoints are on the disk before the list names them and older ones go.

    TensorFlow's own closes the files and goes on, while the system writes them when it likes to: a
    power cut may leave a list that names what is not there, and nothing of what was before.
    """

    # What `save` calls once the files are written; there is no public name between them and the list.
    def _RecordLastCheckpoint(self, latest_save_path: str) -> None:
        folder, name = os.path.split(latest_save_path)
        for file in files.listing(folder or "."):
            if file.startswith(f"{name}.") and not files.is_folder(files.join(folder, file)):
                files.flush_file(files.join(folder, file))
        files.flush_folder(folder)
        super()._RecordLastCheckpoint(latest_save_path)
