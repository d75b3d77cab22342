"""TF Hub's two tutorials, for texts and for images, on local data and any Keras."""
