"""One use of a module in a graph: where it is, its state, its applications, saving its values."""
