"""What TensorBoard shows beside the curves: texts and pictures."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

# A PNG of a figure has red, green, blue and transparency.
_CHANNELS = 4


def write(
    folder: str,
    step: int,
    texts: Mapping[str, str] | None = None,
    pictures: Mapping[str, bytes] | None = None,
    suffix: str = "",
) -> None:
    """Writes texts and pictures into TensorBoard's logs.

    Args:
      folder: the folder of the logs.
      step: the global step to show them under.
      texts: Markdown by tag.
      pictures: PNG files by tag.
      suffix: of the file's name: files are named by the second, and others may open theirs in the
        same one.
    """
    values = [_text(tag, text) for tag, text in (texts or {}).items()]
    values += [_picture(tag, picture) for tag, picture in (pictures or {}).items()]
    with (
        tf.Graph().as_default(),
        tf.compat.v1.summary.FileWriter(folder, filename_suffix=suffix) as writer,
    ):
        writer.add_summary(tf.compat.v1.Summary(value=values), step)


def _text(tag: str, text: str) -> tf.compat.v1.Summary.Value:
    metadata = tf.compat.v1.SummaryMetadata(
        plugin_data=tf.compat.v1.SummaryMetadata.PluginData(plugin_name="text")
    )
    tensor = tf.compat.v1.make_tensor_proto(text.encode("utf-8"), dtype=tf.string)
    return tf.compat.v1.Summary.Value(tag=tag, metadata=metadata, tensor=tensor)


def _picture(tag: str, content: bytes) -> tf.compat.v1.Summary.Value:
    image = tf.compat.v1.Summary.Image(encoded_image_string=content, colorspace=_CHANNELS)
    return tf.compat.v1.Summary.Value(tag=tag, image=image)
