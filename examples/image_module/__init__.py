"""Publish an image module: a small network for handwritten digits, without its last layer."""
