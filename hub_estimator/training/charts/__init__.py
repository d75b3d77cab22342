"""Numbers, pictures and tables of reports: plain functions of arrays."""
