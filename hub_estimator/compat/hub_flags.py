"""The command line flags of `tensorflow_hub`, for programs that are started with them."""

from __future__ import annotations

import sys

_CACHE_DIR = "tfhub_cache_dir"
_LOAD_FORMAT = "tfhub_model_load_format"
# The environment variable that each flag stands in for.
_VARIABLES = {_CACHE_DIR: "TFHUB_CACHE_DIR", _LOAD_FORMAT: "TFHUB_MODEL_LOAD_FORMAT"}
_LOAD_FORMATS = ("COMPRESSED", "UNCOMPRESSED", "AUTO")


def define() -> None:
    """Defines the flags in absl's global ones, unless they are there.

    The package tensorflow_hub, should it be imported as well, may define them again.
    """
    from absl import flags

    if _CACHE_DIR not in flags.FLAGS:
        flags.DEFINE_string(
            _CACHE_DIR,
            None,
            "The folder in which downloaded modules are kept; TFHUB_CACHE_DIR has precedence.",
            module_name="tensorflow_hub",
            allow_override=True,
        )
    if _LOAD_FORMAT not in flags.FLAGS:
        flags.DEFINE_enum(
            _LOAD_FORMAT,
            "AUTO",
            _LOAD_FORMATS,
            "How modules are fetched; TFHUB_MODEL_LOAD_FORMAT has precedence.",
            module_name="tensorflow_hub",
            allow_override=True,
        )


def flag_settings() -> dict[str, str]:
    """Returns what the flags say, each under the name of its environment variable.

    Where no such flag is defined, by us or by others, it says nothing.
    """
    absl_flags = sys.modules.get("absl.flags")
    if absl_flags is None:
        return {}
    # By subscript: an attribute of flags that were not parsed yet is an error.
    values = {
        variable: absl_flags.FLAGS[name].value
        for name, variable in _VARIABLES.items()
        if name in absl_flags.FLAGS
    }
    return {variable: value for variable, value in values.items() if value}
