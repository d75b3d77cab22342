"""Every difference between TensorFlow releases, and every private TensorFlow name."""
