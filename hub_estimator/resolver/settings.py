"""What the environment says about downloads and the cache, read when a handle is resolved.

The flags of programs that are written for `tensorflow_hub` count as part of the environment.
"""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Mapping

from hub_estimator import compat, errors, files
from hub_estimator.environment import is_true, number

LOAD_FORMATS = ("COMPRESSED", "UNCOMPRESSED", "AUTO")


@dataclasses.dataclass(frozen=True)
class Settings:
    """How handles are resolved.

    Attributes:
      cache_folder: the folder of the cache; it is checked when it is used.
      offline: never use the network, only what is in the cache.
      load_format: one of `LOAD_FORMATS`; `AUTO` is `COMPRESSED`.
      progress_bar: show a bar instead of log lines.
      verify_certificates: refuse hosts whose certificate is not trusted.
      timeout_secs: longest wait for a connection, and for the next bytes of an answer.
      attempts: how often in a row a download may fail without any headway.
      first_wait_secs: the wait before the second attempt; each further one is twice as long.
      max_unpacked_bytes: the largest module that is unpacked, and the largest archive.
      max_members: the most files and folders in one archive.
    """

    cache_folder: str
    offline: bool = False
    load_format: str = "AUTO"
    progress_bar: bool = False
    verify_certificates: bool = True
    timeout_secs: float = 20.0
    attempts: int = 4
    first_wait_secs: float = 0.5
    max_unpacked_bytes: int = 32 << 30
    max_members: int = 100_000

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Returns the settings of the process's environment, or of `environment`.

        What the process's environment leaves open, the flags of `tensorflow_hub` say, where a
        program has them.

        Raises:
          errors.SettingError: a variable has a value that means nothing.
        """
        env = _environment() if environment is None else environment
        load_format = env.get("TFHUB_MODEL_LOAD_FORMAT") or cls.load_format
        if load_format not in LOAD_FORMATS:
            raise errors.SettingError(
                f"TFHUB_MODEL_LOAD_FORMAT is {load_format!r}; it can be: {', '.join(LOAD_FORMATS)}."
            )
        return cls(
            cache_folder=_cache_folder(env),
            offline=is_true("HUB_ESTIMATOR_OFFLINE", env),
            load_format=load_format,
            progress_bar=is_true("TFHUB_DOWNLOAD_PROGRESS", env) or _on_terminal(),
            verify_certificates=not is_true("TFHUB_DISABLE_CERT_VALIDATION", env),
            timeout_secs=number("HUB_ESTIMATOR_TIMEOUT_SECS", cls.timeout_secs, 1e6, env),
            max_unpacked_bytes=int(
                number("HUB_ESTIMATOR_MAX_UNPACKED_BYTES", cls.max_unpacked_bytes, 1e18, env)
            ),
        )


def _environment() -> Mapping[str, str]:
    given = {name: value for name, value in os.environ.items() if value}
    return {**compat.flag_settings(), **given}


def _cache_folder(env: Mapping[str, str]) -> str:
    folder = files.as_path(env.get("TFHUB_CACHE_DIR", ""))
    if folder:
        return folder if files.is_remote(folder) else os.path.abspath(folder)
    return files.join(files.user_cache_folder(env), "modules")


def _on_terminal() -> bool:
    return bool(sys.stderr is not None and sys.stderr.isatty())
