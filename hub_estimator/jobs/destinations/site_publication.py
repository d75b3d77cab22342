"""A publication at a site, in a process of its own: it reads the module's graphs with TensorFlow.

Exactly once: the process looks for a version of the checkpoint and makes one while it holds the
site's folder, so also where its parent was killed meanwhile and another one starts a second process.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator

from hub_estimator import errors, files, texts
from hub_estimator.files import locks
from hub_estimator.jobs.destinations.destination import Publication
from hub_estimator.site import records, refreshing
from hub_estimator.site.site_folder import Site

_SHOWN_LETTERS = 500


@dataclasses.dataclass(frozen=True)
class Request:
    """What is to be published.

    Attributes:
      site: the path of the site.
      name: the name of the model there.
      module: the path of the module's folder.
      publication: what is said of it.
      is_first: whether the site may be made.
      model_dir: the model folder, for the page; None where it is not known.
      description: the path of a Markdown file for the page, if any.
      url: the address under which the site is served, if it is given.
    """

    site: str
    name: str
    module: str
    publication: Publication
    is_first: bool
    model_dir: str | None = None
    description: str | None = None
    url: str | None = None


def of_jobs(site: Site, name: str) -> Iterator[tuple[records.Version, Publication]]:
    """Yields the versions of a model that jobs published, the oldest first, the withdrawn ones too."""
    for version in reversed(site.versions(name)):
        with contextlib.suppress(TypeError, ValueError):  # somebody else's
            yield version, Publication.parse(version.publication or {})


def find(site: Site, name: str, publication: Publication) -> records.Version | None:
    """Returns the version that a job made of a checkpoint, also a withdrawn one; None without one."""
    for version, found in of_jobs(site, name):
        if (found.job, found.sha256) == (publication.job, publication.sha256):
            return version
    return None


def refresh(site: Site) -> None:
    """Does what follows the versions of a site, where a publisher was killed before that."""
    with site.held():
        refreshing.refresh(site)


def publish_once(request: Request) -> None:
    """Publishes a module, unless there is a version of the same checkpoint.

    Raises:
      errors.Error: see `publishing.publish`.
      OSError: the site is away, or its disk full.
    """
    from hub_estimator.site import publishing

    site = Site.open_or_make(request.site) if request.is_first else Site.open(request.site)
    with locks.held_folder(site.path):
        if find(site, request.name, request.publication) is not None:
            refresh(site)
            return
        publishing.publish(
            request.module,
            site.path,
            request.name,
            description=request.description,
            model_dir=request.model_dir,
            url=request.url,
            publication=dataclasses.asdict(request.publication),
        )


def run(request: Request, timeout_secs: float) -> None:
    """Has a process of its own do `publish_once`, and waits for it.

    It goes on where this one ends: what it publishes is whole, and found by the next one.

    Raises:
      errors.ExportError: it failed; the message says of what.
      errors.RunTooLongError: it took too long, and was ended.
    """
    what = f"The publication of {request.name} in {request.site!r}"
    with tempfile.TemporaryDirectory(prefix="hub_estimator-") as scratch:
        answer = os.path.join(scratch, "answer")
        try:
            done = subprocess.run(
                command(answer),
                input=json.dumps(dataclasses.asdict(request)).encode(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                start_new_session=True,  # a Ctrl-C for this process lets it come to its end
                timeout=timeout_secs,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise errors.RunTooLongError(
                f"{what} took longer than {timeout_secs / 60.0:g} minutes and was ended. Raise "
                "Site.timeout_minutes, or see who else publishes there."
            ) from error
        if not os.path.exists(answer):
            raise errors.ExportError(
                f"{what} ended with status {done.returncode}, without an answer"
                f"{_last_words(done.stderr)}."
            )
        if failure := files.read_bytes(answer).decode():
            raise errors.ExportError(failure)


def command(answer: str) -> list[str]:
    """Returns the command that does what a request on its standard input asks for.

    Args:
      answer: the path of the file for what it failed of, which is empty where it did not.
    """
    program = f"import sys; from {__name__} import serve; serve(sys.argv[1])"
    return [sys.executable, "-c", program, answer]


def _last_words(output: bytes) -> str:
    lines = [line for line in output.decode("utf-8", "replace").splitlines() if line.strip()]
    return f": {texts.one_line(lines[-1], _SHOWN_LETTERS).rstrip('.')}" if lines else ""


# --- in the process -----------------------------------------------------------------------------


def serve(answer: str) -> None:
    """Does what the request on standard input asks for, and writes what it failed of, if it did."""
    # SIGTERM comes to all processes of a service; this one's end is a matter of seconds.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    content = json.load(sys.stdin)
    request = Request(**{**content, "publication": Publication.parse(content["publication"])})
    failure = ""
    try:
        publish_once(request)
    except errors.Error as error:
        failure = str(error)
    except OSError as error:
        failure = f"{request.site!r} cannot be used: {error.strerror or error}."
    with contextlib.suppress(FileNotFoundError):  # who asked was killed
        files.write_text(answer, failure)
