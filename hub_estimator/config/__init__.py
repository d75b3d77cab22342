"""Settings from gin files and bindings: found from any folder, checked, and forgotten after the run.

    with config.gin_session(["text_classification.gin"], ["MODULE = '/modules/mine'"]) as session:
        experiment = session.call("Experiment")

Everything here goes through gin's public functions. Nothing else in the package needs gin.
"""

from hub_estimator.config.bindings import unread_bindings
from hub_estimator.config.finding import find_file, packaged_folders
from hub_estimator.config.macros import Macro, macros
from hub_estimator.config.messages import clear_call_errors
from hub_estimator.config.operative import OPERATIVE_CONFIG
from hub_estimator.config.registry import (
    LATER,
    NO_DEFAULT,
    add_configurable,
    declare_configurable,
    known_configurables,
)
from hub_estimator.config.session import Reached, Session, early_session, gin_session
from hub_estimator.config.statements import Binding
from hub_estimator.config.suggestions import near_names
from hub_estimator.config.values import is_literal

__all__ = [
    "LATER",
    "NO_DEFAULT",
    "OPERATIVE_CONFIG",
    "Binding",
    "Macro",
    "Reached",
    "Session",
    "add_configurable",
    "clear_call_errors",
    "declare_configurable",
    "early_session",
    "find_file",
    "gin_session",
    "is_literal",
    "known_configurables",
    "macros",
    "near_names",
    "packaged_folders",
    "unread_bindings",
]
