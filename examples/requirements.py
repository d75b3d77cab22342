"""Packages that only some examples need: found where they are installed, never imported here."""

from __future__ import annotations

import importlib.util

from hub_estimator import errors

_NOT_INSTALLED = "%s the package %s, which is not installed. Install it: pip install %s."


class NotInstalledError(errors.Error, ImportError):
    """An example needs a package that is not installed."""


def check_installed(module: str, package: str, needs: str, options: str = "") -> str:
    """Returns the folder of an installed package.

    Args:
      module: the name by which Python imports it.
      package: its name in the package index.
      needs: what needs it, for the message: "The digits come with".
      options: options of `pip install`.

    Raises:
      NotInstalledError: it is not installed; the message says how to install it.
    """
    found = importlib.util.find_spec(module)
    if found is None or not found.submodule_search_locations:
        command = f"{options} {package}".strip()
        raise NotInstalledError(_NOT_INSTALLED % (needs, package, command))
    return found.submodule_search_locations[0]
