"""From a handle to a local folder."""
