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
from collections.abc import Sequence

from absl import flags

from hub_estimator import command_line, errors, texts
from hub_estimator.resolver.download import readable
from hub_estimator.resolver.entry import CacheEntry
from hub_estimator.resolver.handle import Handle
from hub_estimator.resolver.module_cache import Cache
from hub_estimator.resolver.settings import Settings

_DAY_SECS = 86400.0
_MAX_SHOWN = 500


def list_entries(cache: Cache) -> int:
    """Prints all entries; returns the number of damaged ones."""
    return _print_entries(cache, cache.entries(), thorough=False)


def verify(cache: Cache, handle: str | None = None) -> int:
    """Reads the entry of `handle`, or all, and prints their state; returns the number damaged."""
    return _print_entries(cache, _chosen(cache, handle), thorough=True)


def clear(cache: Cache, handle: str | None = None, older_than_days: float | None = None) -> int:
    """Removes the entry of `handle`, or those older than some days, or all; returns their number.

    Raises:
      errors.HandleNotFoundError: the cache has no entry of `handle`.
    """
    entries = _chosen(cache, handle)
    if older_than_days is not None:
        entries = [entry for entry in entries if entry.age_secs > older_than_days * _DAY_SECS]
    for entry in entries:
        line = _describe(entry)
        cache.remove(entry)
        print(f"removed  {line}")
    print(f"{len(entries)} removed from {cache.folder}")
    return len(entries)


def _chosen(cache: Cache, handle: str | None) -> list[CacheEntry]:
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


def _print_entries(cache: Cache, entries: Sequence[CacheEntry], thorough: bool) -> int:
    damaged = 0
    total = 0
    for entry in entries:
        damage = entry.damage(thorough)
        damaged += bool(damage)
        total += entry.size
        print(f"{'damaged' if damage else 'whole'}  {_describe(entry)}")
        if damage:
            print(f"         {texts.one_line(damage)}")
    print(f"{len(entries)} in {cache.folder}, {readable(total)}, {damaged} damaged")
    return damaged


def _describe(entry: CacheEntry) -> str:
    handle = texts.one_line(entry.handle, _MAX_SHOWN) or "(no descriptor)"
    return f"{readable(entry.size):>9}  {_age(entry.age_secs):>8}  {handle}  {entry.folder}"


def _age(secs: float) -> str:
    for unit, length in (("days", _DAY_SECS), ("hours", 3600.0), ("min", 60.0)):
        if secs >= 2 * length:
            return f"{secs / length:.0f} {unit}"
    return f"{secs:.0f} s"


def define_flags() -> flags.FlagValues:
    """Returns this command's flags; nothing is defined in absl's global flags."""
    values = flags.FlagValues()
    flags.DEFINE_string(
        "cache_dir", None, "The cache; by default TFHUB_CACHE_DIR, or one in the home folder.",
        flag_values=values,
    )  # fmt: skip
    flags.DEFINE_float(
        "older_than_days", None, "clear: remove what was downloaded before that.",
        flag_values=values,
    )  # fmt: skip
    flags.DEFINE_bool("all", False, "clear: remove everything.", flag_values=values)
    return values


def run(argv: Sequence[str]) -> int:
    """Runs one command; returns the status of the process.

    Args:
      argv: the program's name, the command, a handle, flags.
    """
    values = define_flags()
    words, argv = command_line.without_words(values, argv)
    wrong = "" if words is None else _wrong_usage(words, values)
    if wrong and not command_line.asks_for_help(argv):
        print(f"error: {wrong}", file=sys.stderr)
        return command_line.USAGE
    return command_line.run(
        lambda values: _run_command(values, *(words or [])), define_flags(), argv, __doc__ or ""
    )


def _wrong_usage(words: Sequence[str], values: flags.FlagValues) -> str:
    """Returns what is wrong with the words of a command line; empty if nothing is."""
    if not words:
        return "Give a command: list, verify or clear."
    command = words[0]
    if command not in ("list", "verify", "clear"):
        return f"The commands are list, verify and clear, not {command!r}."
    if len(words) > (1 if command == "list" else 2):
        return f"Unexpected arguments: {' '.join(words[1:])}."
    chosen = (len(words) == 2) + (values.older_than_days is not None) + bool(values["all"].value)
    if command == "clear" and chosen != 1:
        return "clear needs one of: a handle, --older_than_days, --all."
    if command != "clear" and chosen > len(words) - 1:
        return "--older_than_days and --all are for clear."
    return ""


def _run_command(values: flags.FlagValues, command: str, handle: str | None = None) -> None:
    folder = values.cache_dir or Settings.from_environment().cache_folder
    cache = Cache(os.path.abspath(os.path.expanduser(folder)))
    if command == "list":
        list_entries(cache)
    elif command == "clear":
        clear(cache, handle, values.older_than_days)
    elif damaged := verify(cache, handle):
        raise errors.CacheError(
            f"{damaged} damaged in {cache.folder}: they are fetched again when they are next used."
        )


if __name__ == "__main__":
    command_line.main(run)
