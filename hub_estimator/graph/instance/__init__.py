"""One use of a module in a graph: where it is, its state, its applications, and saving its values."""
