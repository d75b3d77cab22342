"""Shows, checks and clears the cache of downloaded modules.

    python -m hub_estimator.cache list
    python -m hub_estimator.cache verify [HANDLE]
    python -m hub_estimator.cache clear HANDLE
    python -m hub_estimator.cache clear --older_than_days=30
    python -m hub_estimator.cache clear --all

`list` looks at names, sizes and times; `verify` reads every byte, and ends with status 1 if an
entry is damaged. A damaged entry is fetched again when it is next used.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence

from absl import app, flags

from hub_estimator import errors
from hub_estimator.resolver.cache import Cache, Entry
from hub_estimator.resolver.handle import Handle
from hub_estimator.resolver.progress import readable
from hub_estimator.resolver.settings import Settings

_DAY_SECS = 86400.0


def list_entries(cache: Cache) -> int:
    """Prints all entries; returns the number of damaged ones."""
    return _print_entries(cache, cache.entries(), thorough=False)


def verify(cache: Cache, handle: str | None = None) -> int:
    """Reads the entry of `handle`, or all, and prints their state; returns the number damaged."""
    return _print_entries(cache, _chosen(cache, handle), thorough=True)


def clear(
    cache: Cache,
    handle: str | None = None,
    older_than_days: float | None = None,
    all_: bool = False,
) -> int:
    """Removes the entry of `handle`, those older than some days, or all; returns their number.

    Raises:
      errors.HandleNotFoundError: the cache has no entry of `handle`.
      ValueError: not exactly one of the three is given.
    """
    if (handle is not None) + (older_than_days is not None) + all_ != 1:
        raise ValueError("clear needs one of: a handle, --older_than_days, --all.")
    entries = _chosen(cache, handle)
    if older_than_days is not None:
        entries = [entry for entry in entries if entry.age_secs > older_than_days * _DAY_SECS]
    for entry in entries:
        line = _describe(entry)
        cache.remove(entry)
        print(f"removed  {line}")
    print(f"{len(entries)} removed from {cache.folder}")
    return len(entries)


def _chosen(cache: Cache, handle: str | None) -> list[Entry]:
    if handle is None:
        return cache.entries()
    parsed = Handle.parse(handle)
    places = [cache.entry(parsed), cache.entry(Handle(os.path.abspath(parsed.text)))]
    there = [entry for entry in places if entry.is_there]
    if not there:
        raise errors.HandleNotFoundError(
            f"The cache {cache.folder} has no entry of {parsed}: `list` shows what it has."
        )
    return there[:1]


def _print_entries(cache: Cache, entries: Sequence[Entry], thorough: bool) -> int:
    damaged = 0
    total = 0
    for entry in entries:
        damage = entry.damage(thorough)
        damaged += bool(damage)
        total += entry.size
        print(f"{'damaged' if damage else 'whole'}  {_describe(entry)}")
        if damage:
            print(f"         {damage}")
    print(f"{len(entries)} in {cache.folder}, {readable(total)}, {damaged} damaged")
    return damaged


def _describe(entry: Entry) -> str:
    handle = entry.handle or "(no descriptor)"
    return f"{readable(entry.size):>9}  {_age(entry.age_secs):>8}  {handle}  {entry.folder}"


def _age(secs: float) -> str:
    for unit, length in (("days", _DAY_SECS), ("hours", 3600.0), ("min", 60.0)):
        if secs >= 2 * length:
            return f"{secs / length:.0f} {unit}"
    return f"{secs:.0f} s"


def _define_flags() -> None:
    flags.DEFINE_string(
        "cache_dir", None, "The cache; by default TFHUB_CACHE_DIR, or one in the home folder."
    )
    flags.DEFINE_float("older_than_days", None, "clear: remove what was downloaded before that.")
    flags.DEFINE_bool("all", False, "clear: remove everything.")


def main(argv: Sequence[str]) -> int:
    """Runs one command; returns the status of the process."""
    command, *rest = argv[1:] or [""]
    if command not in ("list", "verify", "clear"):
        raise app.UsageError(f"The commands are list, verify and clear, not {command!r}.")
    if len(rest) > (command != "list"):
        raise app.UsageError(f"Unexpected arguments: {' '.join(rest)}")
    values = flags.FLAGS
    folder = values.cache_dir or Settings.from_environment().cache_folder
    cache = Cache(os.path.abspath(os.path.expanduser(folder)))
    handle = rest[0] if rest else None
    commands: dict[str, Callable[[], int]] = {
        "list": lambda: 0 * list_entries(cache),
        "verify": lambda: min(1, verify(cache, handle)),
        "clear": lambda: 0 * clear(cache, handle, values.older_than_days, values["all"].value),
    }
    try:
        return commands[command]()
    except (errors.Error, ValueError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    _define_flags()
    app.run(main)
