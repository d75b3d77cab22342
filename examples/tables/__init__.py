"""Real tables for configurations: pairs of texts, several classes of a text, a number to predict."""
