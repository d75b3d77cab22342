"""Versions as a site keeps them, made without a module, for the tests of what is made of them."""

from __future__ import annotations

import dataclasses
from typing import Any

from hub_estimator.site.records import Version

NAME = "acme/reviews-en"


def rows(*found: dict[str, Any]) -> dict[str, Any]:
    return {"rows": list(found), "more": 0}


def about(**changes: Any) -> dict[str, Any]:
    """What a text embedding module is."""
    totals = {"variables": 1, "parameters": 2_560_000, "bytes": 10_240_000}
    signature = {
        "name": "default",
        "inputs": [{"name": "default", "type": "string [?]"}],
        "outputs": [{"name": "default", "type": "float32 [?, 128]"}],
        "settings": [],
    }
    variant = {
        "tags": "inference",
        "tensorflow": "2.21.0",
        "operations": 42,
        "signatures": [signature],
        "functions": [],
        "regularization_losses": 0,
        "update_operations": 0,
        "image_size": None,
        "tables": rows(
            {
                "name": "lookup",
                "types": "string to int64",
                "asset": "words.txt",
                "entries": 20_000,
            }
        ),
        "messages": rows(),
        "side_effects": rows(),
        "library_operations": [],
    }
    return {
        "kind": "TF1 Hub module",
        "graph_bytes": 12_345,
        "value_bytes": 10_240_300,
        "totals": {"name": "", **totals, "trainable_parameters": 2_560_000},
        "scopes": rows({"name": "embeddings", **totals, "trainable_parameters": 2_560_000}),
        "variants": [variant],
        "assets": rows({"name": "words.txt", "bytes": 180_000, "sha256": "ab" * 32}),
        "interfaces": [
            {"name": "text", "missing": []},
            {"name": "image feature vector", "missing": ["it has no signature 'x'"]},
        ],
        **changes,
    }


def version(number: int = 1, **changes: Any) -> Version:
    """A version of `NAME`, trained by a run of ours."""
    training = {
        "step": 2000,
        "metrics": {"accuracy": 0.9074, "auc": 0.9656, "loss": 31.2},
        "parent": {"handle": "out/module", "sha256": "cd" * 32},
        "config": "MODULE = 'out/module'\nFINE_TUNE = True\n",
        "data": "out/reviews/test.csv, 5,000 examples",
        "classes": {"": [["negative", 9952], ["positive", 9952]]},
    }
    made = Version(
        name=NAME,
        number=number,
        published=f"2026-01-{number:02d}T12:00:00Z",
        archive_bytes=9_500_000,
        archive_sha256=f"{number:064x}",
        module_sha256=f"{number + 1000:064x}",
        text="Averaged word vectors of *19,904* reviews.\n\n# Limits\n\nEnglish only.\n",
        about=about(),
        training=training,
    )
    return dataclasses.replace(made, **changes)
