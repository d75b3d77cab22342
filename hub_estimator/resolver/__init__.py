"""From a handle to a folder that can be read: `resolve("https://…/1")`, `resolve("/a/folder")`.

Handles are tried on resolvers in order, and the first that supports one resolves it. There is no
registry: who has a resolver of their own passes it.

    hub.resolve("store:text/3", resolvers=[StoreResolver(), *default_resolvers()])
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from hub_estimator import errors, files
from hub_estimator.resolver.handle import Handle
from hub_estimator.resolver.hosted import BucketResolver, HostedResolver
from hub_estimator.resolver.kaggle import KaggleResolver
from hub_estimator.resolver.local import ArchiveResolver, FolderResolver
from hub_estimator.resolver.module_cache import Cache
from hub_estimator.resolver.settings import Settings
from hub_estimator.resolver.stored import StoredFolderResolver

__all__ = [
    "ArchiveResolver",
    "BucketResolver",
    "Cache",
    "FolderResolver",
    "Handle",
    "HostedResolver",
    "KaggleResolver",
    "Resolver",
    "Settings",
    "StoredFolderResolver",
    "default_resolvers",
    "resolve",
]


class Resolver(Protocol):
    """Turns the handles of one kind into folders."""

    def supports(self, handle: Handle) -> bool:
        """Whether `handle` is of this resolver's kind; quick, and does not use the network."""

    def __call__(self, handle: Handle) -> str:
        """Returns a folder, local or of `tf.io.gfile`, with the files of the module.

        Raises:
          errors.Error: the module cannot be had; the message says why and what to do.
        """


def resolve(handle: files.PathLike | Handle, resolvers: Sequence[Resolver] | None = None) -> str:
    """Returns the folder that `handle` stands for, downloaded before if need be.

    Args:
      handle: a folder or a `.tar.gz` file, on the local disk or any filesystem that `tf.io.gfile`
        or `fsspec` knows; or a URL of the hosting protocol, of tfhub.dev or of kaggle.com.
      resolvers: tried in order; by default `default_resolvers()`.

    Raises:
      errors.InvalidHandleError: `handle` is of no form that a handle has.
      errors.HandleNotFoundError: there is nothing at `handle`.
      errors.HandleError: it cannot be had for another reason; an `OSError`, as the former.
      errors.NotAModuleError: what is there is no module.
    """
    parsed = Handle.parse(handle)
    for resolver in default_resolvers() if resolvers is None else resolvers:
        if resolver.supports(parsed):
            return resolver(parsed)
    raise errors.UnsupportedHandleError(
        f"None of the resolvers supports the handle {str(parsed)!r}: add default_resolvers() to "
        "those that were passed."
    )


def default_resolvers(settings: Settings | None = None) -> tuple[Resolver, ...]:
    """Returns the resolvers of all kinds of handles, in the order in which they are tried.

    Args:
      settings: by default those of the environment.
    """
    settings = Settings.from_environment() if settings is None else settings
    cache = Cache(settings.cache_folder)
    return (
        KaggleResolver(cache, settings),
        BucketResolver(settings),
        HostedResolver(cache, settings),
        ArchiveResolver(cache, settings),
        StoredFolderResolver(cache, settings),
        FolderResolver(),
    )
