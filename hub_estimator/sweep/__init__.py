"""Sweeps: which settings train the best model, searched on one machine or many. No TensorFlow here."""
