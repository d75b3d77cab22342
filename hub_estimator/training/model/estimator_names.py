"""Names of `tf.estimator` that configurations know; needs no TensorFlow."""

HEAD_NAMES = ("BinaryClassHead", "MultiClassHead", "MultiLabelHead", "RegressionHead", "MultiHead")
"""The heads."""

ESTIMATOR_NAMES = ("DNNEstimator", "LinearEstimator", "DNNLinearCombinedEstimator")
"""The canned Estimators that take a head, so that the run knows which labels they take."""
