"""What is measured: each program runs with either library and prints its figures as JSON."""
