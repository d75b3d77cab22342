"""What people see of a sweep: tables, pictures, pages, commands. Made of values; no TensorFlow here."""
