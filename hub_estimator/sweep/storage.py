"""The storage of a sweep: a database, by default a file in the sweep's folder."""

from __future__ import annotations

import importlib.util
import re
import time
from typing import Any

from hub_estimator import errors, texts
from hub_estimator.sweep import optuna_library

_GRACES = 3  # a worker that says nothing for so many heartbeats is taken for dead
_LOCKED_SECS = 60  # how long SQLite waits for other processes
_TRIES = 5
_SQLITE = "sqlite:///"
_POSTGRES = re.compile(r"postgres(ql)?://")
_DRIVERS = ("psycopg", "psycopg2")
_PASSWORD = re.compile(r"(://[^:/@?]*:)[^@/]*(?=@)")
# What the drivers say beside the reason.
_BACKGROUND = re.compile(r"\s*\(Background on this error.*|\[SQL:.*", re.DOTALL)


def opened(url: str, heartbeat_secs: int) -> Any:
    """Opens a storage, and makes its tables where there are none.

    Args:
      url: as SQLAlchemy has it: `postgresql://user:password@host/database`.
      heartbeat_secs: see `Sweep`.

    Raises:
      errors.SweepStorageError: it cannot be used.
      errors.MissingExtraError: Optuna, or what talks to such a database, is not installed.
    """
    storages = optuna_library.module("storages")
    given = with_driver(url)
    settings = {"connect_args": {"timeout": _LOCKED_SECS}} if given.startswith("sqlite") else {
        "pool_pre_ping": True  # a connection may be cut while a trial is trained
    }  # fmt: skip
    for number in range(_TRIES):
        try:
            with optuna_library.quiet():
                return storages.RDBStorage(
                    given,
                    engine_kwargs=settings,
                    heartbeat_interval=heartbeat_secs,
                    grace_period=_GRACES * heartbeat_secs,
                )
        except Exception as error:  # whatever a driver raises
            # Others may be making the same tables just now.
            if number == _TRIES - 1 or _is_final(error):
                raise unusable(url, error) from error
            time.sleep(0.2 * 2**number)
    raise AssertionError


def taking_lock(url: str) -> str | None:
    """Returns the path of a lock to hold while a trial is taken; None where the database has its own.

    SQLite locks no rows: two that look at the same moment would both take the same trial.
    """
    return f"{url.removeprefix(_SQLITE)}.lock" if url.startswith(_SQLITE) else None


def unusable(url: str, error: Exception) -> errors.SweepStorageError:
    """Returns what to say of an error of a storage."""
    cause = error.__cause__ if type(error).__name__ == "StorageInternalError" else None
    reason = _BACKGROUND.sub("", str(cause or error)).strip().rstrip(".")
    return errors.SweepStorageError(
        f"The storage {shown(url)} cannot be used: {texts.one_line(_without_password(reason))}. "
        "Once that is solved, run the same command again; it goes on."
    )


def shown(url: str) -> str:
    """Returns a URL without its password."""
    return repr(_without_password(url))


def _without_password(text: str) -> str:
    return _PASSWORD.sub(r"\1***", text)


def with_driver(url: str) -> str:
    """Returns a URL that names the driver, where it is one of PostgreSQL without."""
    if "://" not in url:
        raise errors.SweepStorageError(
            f"The storage {shown(url)} is no URL. Give one like 'postgresql://user@host/database', or "
            "leave it out: then it is a file in the sweep's folder."
        )
    if not _POSTGRES.match(url):
        return url
    for driver in _DRIVERS:
        if importlib.util.find_spec(driver) is not None:
            return _POSTGRES.sub(f"postgresql+{driver}://", url, count=1)
    raise errors.MissingExtraError(
        "A storage in PostgreSQL needs what talks to it: pip install 'psycopg[binary]'."
    )


def _is_final(error: Exception) -> bool:
    """Whether to try again is of no use: it is no error that databases raise."""
    return not type(error).__module__.startswith("sqlalchemy")
