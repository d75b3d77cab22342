"""`hub_estimator.compat.install`, which chooses a Keras before TensorFlow is imported."""

from __future__ import annotations

from hub_estimator.compat.keras_choice import choose_legacy_keras


def install(
    tensorflow_hub: bool = False, v1: bool = False, legacy_keras: bool | None = None
) -> None:
    """Makes programs for TensorFlow 2.15 and before, down to 1.15, importable on newer ones.

    Afterwards there are, where they were missing: `tf.estimator`, `tf.compat.v1.estimator` and
    every other spelling of them, `tf.compat.v1.layers` and `tf.compat.v1.nn.rnn_cell`,
    `tensorflow.python.layers`, `tensorflow.python.estimator` and the other private modules that
    programs import; `import gin.tf` works. What TensorFlow has is left as it is, except that a
    `MirroredStrategy` on CPU devices works in sessions, and that `pandas_input_fn` and
    `numpy_input_fn` take the columns that pandas 3 and NumPy 2 have. Upstream's deprecation notices
    are silenced, and TensorFlow's log shows each record once. Calling it again changes nothing.

    Args:
      tensorflow_hub: whether `import tensorflow_hub` is to give `hub_estimator`. The command line
        flags of `tensorflow_hub` are defined then, and count as its environment variables do.
      v1: whether `import tensorflow` in the program is to give the names of TensorFlow 1, with the
        behaviour of TensorFlow 2 off as after `tf.compat.v1.disable_v2_behavior()`, and `tf.contrib`
        as far as it is elsewhere today. The program is its main module, the package of that, and
        whatever is not installed; other code gets TensorFlow as it is.
      legacy_keras: whether `tf.keras` is to be legacy Keras, as these programs know it. None is yes,
        where the environment variable TF_USE_LEGACY_KERAS does not say and nothing has used
        `tf.keras` yet. TensorFlow 2.15 has no other.

    Raises:
      NameInUseError: another package is in use as `tensorflow_hub`; nothing is installed then.
      TensorFlowInUseError: `v1`, and the main module has imported TensorFlow 2 already; nothing is
        installed then.
      LegacyKerasError: `legacy_keras` is True, and `tf.keras` is Keras 3 already, or the package
        tf-keras is not installed.
    """
    if legacy_keras is not False:
        choose_legacy_keras(must=legacy_keras is True)
    # Not earlier: TensorFlow looks for the choice when it is imported.
    from hub_estimator.compat.installation import put_back

    put_back(tensorflow_hub, v1)
