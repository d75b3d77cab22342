"""Pictures and tables of what a model gets right and wrong."""
