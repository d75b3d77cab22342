"""A saver that is sure of a checkpoint before it counts on it."""

from __future__ import annotations

import os

import tensorflow as tf

from hub_estimator import files


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
