"""A module on disk: its protos, its files, and `ModuleSpec`, what they say."""
