"""What is wrong with a run as far as that is known before TensorFlow is imported, which takes seconds.

All of this is checked again afterwards, with all else, by the same functions; here it is only said
earlier. What a configuration imports may register parts, so nothing is said of one that does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hub_estimator import config, files
from hub_estimator.training import configurables
from hub_estimator.training.inputs import presence
from hub_estimator.training.model_folder import run_settings
from hub_estimator.training.settings_text import EXPERIMENT


def check_training(
    gin_files: Sequence[str],
    gin_bindings: Sequence[str],
    allowed_imports: Sequence[str],
    with_places: bool = True,
) -> None:
    """Checks the texts of a configuration to train by, and that modules and data are there.

    Args:
      gin_files: see `from_gin`.
      gin_bindings: see `from_gin`.
      allowed_imports: see `from_gin`.
      with_places: whether modules and data are to be there.

    Raises:
      errors.Error: something is wrong; see `from_gin` and `train_and_evaluate`.
    """
    if allowed_imports:
        return
    configurables.declare()
    with config.early_session(gin_files, gin_bindings) as session:
        if session is not None:
            session.check_reached(EXPERIMENT, is_before_call=True)
            # Of a model folder's configuration there may be something to warn of before.
            if with_places and not session.is_of_model_folder:
                _check_places(session)


def check_model_folder(
    model_dir: str, gin_bindings: Sequence[str], allowed_imports: Sequence[str]
) -> None:
    """Checks a model folder, its configuration, and the bindings that change this.

    Args:
      model_dir: the model folder.
      gin_bindings: see `from_gin`.
      allowed_imports: see `from_gin`.

    Raises:
      errors.ModelFolderError: see `ModelFolder.check`.
      errors.ConfigError: see `from_gin`.
    """
    if files.is_remote(model_dir):
        return
    run_settings.check(model_dir)
    if allowed_imports:
        return
    configurables.declare()
    settings, _ = run_settings.paths(model_dir)
    with config.early_session([settings], gin_bindings) as session:
        if session is not None:
            session.check_reached(EXPERIMENT, only_given=True, is_before_call=True)


def _check_places(session: config.Session) -> None:
    """Checks what the configuration reads on this machine, modules first, as the run does."""
    found = list(session.texts_reached(EXPERIMENT))
    for checks in (_MODULES, _DATA):
        for part, parameter, text in found:
            check = checks.get((part, parameter))
            if check is not None and text and not files.is_remote(text):
                check(files.as_path(text))


def _check_module(handle: str) -> None:
    # Not earlier: what downloads takes its time to load.
    from hub_estimator.resolver import FolderResolver, Handle

    parsed, resolver = Handle.parse(handle), FolderResolver()
    if resolver.supports(parsed) and not parsed.is_archive:  # one that is unpacked takes its time
        resolver(parsed)


_Check = Callable[[str], None]
_MODULES: dict[tuple[str, str], _Check] = {
    ("Encoder", "handle"): _check_module,
    ("image_embedding_column", "module_spec"): _check_module,
    ("sparse_text_embedding_column", "module_spec"): _check_module,
    ("text_embedding_column", "module_spec"): _check_module,
    ("text_embedding_column_v2", "module_path"): _check_module,
}
_DATA: dict[tuple[str, str], _Check] = {
    ("ImageFolder", "path"): presence.check_folder,
    ("JsonlFile", "path"): presence.check_file,
    ("TextFile", "path"): presence.check_file,
}
