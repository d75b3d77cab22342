"""Where jobs publish to, and what a published version is."""
