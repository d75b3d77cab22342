"""The version, in one place: `setup.py` and `hub_estimator.__version__` read it from here."""

__version__ = "0.1.0"
