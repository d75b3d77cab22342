"""A run in a process of its own, from a gin text and a model folder: one function call.

TensorFlow keeps memory and devices as long as a process lives, and gin's settings are the process's
own; so sweeps and jobs run each experiment in a fresh one. The processes pass each other JSON in
files of a scratch folder, and nothing else.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import math
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import IO, Any

from hub_estimator import compat, errors, files

_REQUEST, _ANSWER, _GIN_TEXT = "request.json", "answer.json", "experiment.gin"
_CHOICES = ("checkpoint", "checkpoints")
_GRACE_SECS = 60.0
_LOOK_SECS = 0.2
_STANDARD_ERROR = 2
VERBS = ("train_and_evaluate", "evaluate", "predict", "export", "rows_per_second")


def run_in_fresh_process(
    gin_text: str,
    model_dir: files.PathLike,
    verb: str = "train_and_evaluate",
    gin_bindings: Sequence[str] = (),
    allowed_imports: Sequence[str] = (),
    timeout_secs: float | None = None,
    log_path: files.PathLike | None = None,
    stopping: threading.Event | None = None,
    **arguments: Any,
) -> Any:
    """Runs an experiment in a process of its own, and waits for it.

    It ends with this process: should this one be killed, that one saves a checkpoint and stops.

    Args:
      gin_text: describes the experiment; for example `"include 'text_classification.gin'"`.
      model_dir: the model folder.
      verb: `"train_and_evaluate"`, `"evaluate"`, `"predict"`, `"export"` or `"rows_per_second"`.
      gin_bindings: override the text; see `from_gin`.
      allowed_imports: see `from_gin`.
      timeout_secs: how long to wait; then it is asked to save a checkpoint and stop. None waits as
        long as it takes.
      log_path: the file to which all is added that it writes to its output; None is this process's
        standard error.
      stopping: where another thread sets it, the process is asked to stop, as at a signal.
      **arguments: further arguments of the verb.

    Returns:
      What the verb returns.

    Raises:
      errors.Error: what the verb raised; the class is the same.
      errors.FreshProcessError: the process ended without an answer, or failed by a fault.
      errors.RunTooLongError: it took longer than `timeout_secs`.
      errors.InterruptedRunError: `stopping` was set.
      errors.InvalidSettingError: there is no such verb, or an argument cannot be passed on.
    """
    given = gin_bindings, allowed_imports, timeout_secs, log_path, stopping
    return _result(verb, answer_of_fresh_process(gin_text, model_dir, verb, *given, **arguments))


def answer_of_fresh_process(
    gin_text: str,
    model_dir: files.PathLike,
    verb: str = "train_and_evaluate",
    gin_bindings: Sequence[str] = (),
    allowed_imports: Sequence[str] = (),
    timeout_secs: float | None = None,
    log_path: files.PathLike | None = None,
    stopping: threading.Event | None = None,
    environment: Mapping[str, str] | None = None,
    **arguments: Any,
) -> Any:
    """Runs an experiment in a process of its own, for a caller that does without TensorFlow.

    Args:
      gin_text: see `run_in_fresh_process`; so are those that follow.
      model_dir: the model folder.
      verb: the verb.
      gin_bindings: override the text.
      allowed_imports: what may be imported.
      timeout_secs: how long to wait.
      log_path: the file of its output.
      stopping: asks it to stop.
      environment: variables that it has beside those of this process.
      **arguments: further arguments of the verb.

    Returns:
      What the verb returns, as JSON has it: of an object its attributes by name.

    Raises:
      errors.Error: see `run_in_fresh_process`.
    """
    if verb not in VERBS:
        raise errors.InvalidSettingError(
            f"The verb is {verb!r}; it must be one of {', '.join(map(repr, VERBS))}."
        )
    for name in _CHOICES:
        if name in arguments and type(arguments[name]).__name__ != "CheckpointChoice":
            raise errors.InvalidSettingError(
                f"{name} is {arguments[name]!r}; give a fresh process a CheckpointChoice."
            )
    folder = files.as_path(model_dir)
    if log_path is not None:
        files.make_folder(files.parent(files.as_path(log_path)) or ".")
    with tempfile.TemporaryDirectory(prefix="hub_estimator-") as scratch:
        text_path = os.path.join(scratch, _GIN_TEXT)
        files.write_text(text_path, gin_text)
        request = {
            "verb": verb,
            "model_dir": folder,
            "gin_bindings": list(gin_bindings),
            "allowed_imports": list(allowed_imports),
            "arguments": {name: _plain(value) for name, value in arguments.items()},
        }
        files.write_text(os.path.join(scratch, _REQUEST), json.dumps(request))
        with _log(log_path) as log:
            what = f"The run in {folder!r}"
            status = _wait(scratch, log, timeout_secs, stopping, what, environment or {})
        answer = _read(os.path.join(scratch, _ANSWER))
        if answer is None:
            memory = " Too little memory is the usual reason." if status == -signal.SIGKILL else ""
            raise errors.FreshProcessError(
                f"The process of the run in {folder!r} {_ending(status)}, without an answer. Its "
                f"last words are in {_named(log_path)}.{memory}"
            )
        if "error" in answer:
            raise _error(answer, text_path, _named(log_path))
        return answer["result"]


@contextlib.contextmanager
def _log(path: files.PathLike | None) -> Iterator[IO[bytes] | None]:
    if path is None:
        yield None
        return
    with open(files.as_path(path), "ab") as file:
        yield file


def _wait(
    scratch: str,
    log: IO[bytes] | None,
    timeout_secs: float | None,
    stopping: threading.Event | None,
    what: str,
    given: Mapping[str, str],
) -> int:
    """Runs the process and returns its exit status."""
    paths = [path for path in sys.path if path]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **given}
    output = _STANDARD_ERROR if log is None else log
    process = subprocess.Popen(
        [sys.executable, "-m", __name__, scratch],
        stdin=subprocess.PIPE,  # it ends when this is closed, which the end of this process does
        stdout=output,
        stderr=output,
        env=environment,
        start_new_session=True,  # a Ctrl-C for this process comes from here, once
    )
    with process:
        try:
            return _ended(process, timeout_secs, stopping, what)
        except subprocess.TimeoutExpired as error:
            _stop(process)
            raise errors.RunTooLongError(
                f"{what} took longer than {timeout_secs:g} seconds and was stopped. Give it more; a "
                "training goes on from its last checkpoint."
            ) from error
        except BaseException:  # this process is to end
            _stop(process)
            raise


def _ended(
    process: subprocess.Popen[bytes],
    timeout_secs: float | None,
    stopping: threading.Event | None,
    what: str,
) -> int:
    """Waits for the end of a process, or for an event that says that it is to stop."""
    if stopping is None:
        return process.wait(timeout_secs)
    end = math.inf if timeout_secs is None else time.monotonic() + timeout_secs
    while not stopping.is_set():
        left = end - time.monotonic()
        try:
            return process.wait(min(_LOOK_SECS, max(left, 0.0)))
        except subprocess.TimeoutExpired:
            if left <= 0:
                raise
    raise errors.InterruptedRunError(
        f"{what} was stopped. Run it again; a training goes on from its last checkpoint.",
        signal.SIGTERM,
    )


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Has a process save what it did and end; kills it where it takes too long."""
    process.terminate()
    try:
        process.wait(_GRACE_SECS)
    except subprocess.TimeoutExpired:
        process.kill()


def _ending(status: int) -> str:
    if status < 0:
        names = {number.value: number.name for number in signal.Signals}
        return f"was ended by {names.get(-status, f'signal {-status}')}"
    return f"ended with status {status}"


def _plain(value: Any) -> Any:
    """Returns an argument of a verb as JSON has it."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, list):
        return [_plain(element) for element in value]
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def _read(path: str) -> dict[str, Any] | None:
    if not os.path.exists(path):
        return None
    content: dict[str, Any] = json.loads(files.read_bytes(path))
    return content


def _named(log_path: files.PathLike | None) -> str:
    return "standard error" if log_path is None else repr(files.as_path(log_path))


def _error(answer: dict[str, Any], text_path: str, log: str) -> Exception:
    """Returns the error of an answer, of the class that it had there."""
    message = answer["message"].replace(repr(text_path), "the gin text")
    found = _error_classes().get(answer["error"])
    if found is errors.InterruptedRunError:
        return errors.InterruptedRunError(message, answer["signal"])
    if found is None:
        return errors.FreshProcessError(
            f"The run failed: {answer['error']}: {message.rstrip('.')}. The traceback is in {log}."
        )
    return found(message)


def _error_classes() -> dict[str, type[errors.Error]]:
    """Returns the classes of errors that are made of a message alone, by name."""
    public = (value for value in vars(errors).values() if isinstance(value, type))
    return {class_.__name__: class_ for class_ in public if issubclass(class_, errors.Error)}


def _result(verb: str, plain: Any) -> Any:
    if verb in ("evaluate", "rows_per_second"):
        return plain
    if verb == "export":  # the others bring TensorFlow, which who started this does without
        from hub_estimator.training.running.exported import Exported

        return Exported(**{**plain, "modules": tuple(plain["modules"])})
    from hub_estimator.training.running import predict_file, result, stopping

    classes = {
        "train_and_evaluate": result.Result,
        "predict": predict_file.Predicted,
    }
    if plain.get("early_end") is not None:
        plain["early_end"] = stopping.EarlyEnd(**plain["early_end"])
    tuples = {name: tuple(value) for name, value in plain.items() if isinstance(value, list)}
    return classes[verb](**{**plain, **tuples})


# --- in the fresh process -----------------------------------------------------------------------


def _serve(scratch: str) -> None:
    """Does what the request in a folder asks for, and writes the answer beside it."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    compat.choose_legacy_keras()  # as the commands do
    logging.basicConfig(format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("tensorflow").setLevel(logging.WARNING)
    logging.getLogger("hub_estimator").setLevel(logging.INFO)
    try:
        answer = _run(scratch)
    except errors.InterruptedRunError as error:
        said = {"error": type(error).__name__, "message": str(error), "signal": error.signal}
        answer = json.dumps(said)
    except Exception as error:  # noqa: BLE001 - the other process gets it
        name = _public_name(error)
        answer = json.dumps({"error": name, "message": str(error)})
        if name not in _error_classes():
            traceback.print_exc()
    files.write_text(os.path.join(scratch, _ANSWER), answer)


def _end_with_parent() -> None:
    while os.read(0, 1024):  # not sys.stdin, whose lock this thread would hold at the end
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _public_name(error: Exception) -> str:
    """Returns the name of the nearest class of an error that the other process can make."""
    known = _error_classes()
    names = [
        class_.__name__ for class_ in type(error).__mro__ if known.get(class_.__name__) is class_
    ]
    named = [name for name in names if name != errors.Error.__name__]
    return named[0] if named else type(error).__name__


def _run(scratch: str) -> str:
    """Does what the request asks for; returns the answer, in JSON."""
    request = _read(os.path.join(scratch, _REQUEST)) or {}
    from hub_estimator.training.exporters.export_records import as_plain
    from hub_estimator.training.gin_experiments import from_gin
    from hub_estimator.training.running.evaluate_checkpoints import evaluate
    from hub_estimator.training.running.export_checkpoint import export
    from hub_estimator.training.running.predict_file import predict
    from hub_estimator.training.running.prediction_speed import rows_per_second
    from hub_estimator.training.running.train_and_evaluate import train_and_evaluate

    functions: tuple[Callable[..., Any], ...] = (
        train_and_evaluate, evaluate, predict, export, rows_per_second,
    )  # fmt: skip
    verbs = dict(zip(VERBS, functions, strict=True))
    arguments = {
        name: _choice(value) if name in _CHOICES else value
        for name, value in request["arguments"].items()
    }
    given = [os.path.join(scratch, _GIN_TEXT)], request["gin_bindings"], request["allowed_imports"]
    with from_gin(*given) as experiment:
        found = verbs[request["verb"]](experiment, request["model_dir"], **arguments)
    return json.dumps({"result": _plain(found)}, default=as_plain)


def _choice(plain: dict[str, Any]) -> Any:
    from hub_estimator.training.model_folder.choice import CheckpointChoice
    from hub_estimator.training.objective import Objective

    objective = plain["objective"]
    chosen = None if objective is None else Objective(**objective)
    return CheckpointChoice(plain["which"], chosen)


if __name__ == "__main__":
    _serve(sys.argv[1])
