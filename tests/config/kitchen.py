"""Parts for configurations: cheap, and not of this package."""

from __future__ import annotations

import pathlib

from hub_estimator import config


class Cake:
    """What `bake` takes."""

    def __init__(self, flavour, layers=2, topping=None):
        self.parts = (flavour, layers, topping)


def bake(cake, minutes=30, oven=None):
    """What a program calls; the run gives the oven."""
    return cake.parts, minutes, oven


def warm(cake, minutes=3, watts=600):
    """Another call, of the same cake."""
    return cake.parts, minutes, watts


def ice(sugar=1):
    """A topping."""
    return f"ice with {sugar} sugar"


def recipe(path, shelf=None):
    """What reads a file; a model folder may not choose the shelf, where it writes."""
    return path, shelf


def register():
    """Makes them configurable."""
    for part in (ice, Cake, warm):
        config.add_configurable(part, module="kitchen")
    config.add_configurable(bake, module="kitchen", denylist=["oven"])
    config.add_configurable(recipe, module="kitchen", paths=["path"], given_only=["shelf"])


def write(path: pathlib.Path, text: str) -> str:
    """Writes a gin file; returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return str(path)
