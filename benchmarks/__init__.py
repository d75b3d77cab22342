"""Side by side with the peer, tensorflow-hub 0.15.0: see README.md."""
