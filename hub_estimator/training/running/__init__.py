"""A run, what it keeps in the model folder, and what comes after it."""
