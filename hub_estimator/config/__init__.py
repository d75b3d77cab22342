"""Settings from gin files and bindings: found from any folder, checked, and forgotten after the run.

    with config.gin_session(["text_classification.gin"], ["MODULE = '/modules/mine'"]) as session:
        experiment = session.call("Experiment")

Everything here goes through gin's public functions. Nothing else in the package needs gin.
"""

from hub_estimator.config.bindings import unread_bindings
from hub_estimator.config.finding import find_file, packaged_folders
from hub_estimator.config.messages import clear_call_errors
from hub_estimator.config.operative import OPERATIVE_CONFIG
from hub_estimator.config.registry import add_configurable
from hub_estimator.config.session import Session, gin_session
from hub_estimator.config.statements import Binding

__all__ = [
    "OPERATIVE_CONFIG",
    "Binding",
    "Session",
    "add_configurable",
    "clear_call_errors",
    "find_file",
    "gin_session",
    "packaged_folders",
    "unread_bindings",
]
