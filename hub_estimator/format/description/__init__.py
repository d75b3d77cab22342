"""What a module is, as a value, without running it: its parts, and what differs between two."""
