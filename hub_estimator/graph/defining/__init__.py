"""Defining modules: what a `module_fn` calls, what is checked, and what is made of SavedModels."""
