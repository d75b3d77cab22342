"""A TF1 Hub module as one object of TensorFlow 2, with the interface of reusable SavedModels."""
