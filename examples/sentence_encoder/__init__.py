"""Publish a sentence encoder from real pre-trained weights, and word vectors from the same."""
