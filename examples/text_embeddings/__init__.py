"""Publish a text embedding module: from a file of word vectors, or from plain texts."""
