"""The tests that every resolver passes: mix them into a test class of your own.

class TestStoreResolver(ResolverContract):
    @pytest.fixture
    def case(self, tmp_path):
        return ResolverCase(StoreResolver(tmp_path), "store:text/3", "store:text/99")
"""

from __future__ import annotations

import dataclasses

from hub_estimator import errors, files, layout
from hub_estimator.resolver import Resolver, resolve
from hub_estimator.resolver.handle import Handle


@dataclasses.dataclass(frozen=True)
class ResolverCase:
    """A resolver and what it is to be tried on.

    Attributes:
      resolver: the resolver.
      good: a handle of its kind that leads to a module.
      missing: a handle of its kind that leads to nothing.
      foreign: handles of other kinds.
    """

    resolver: Resolver
    good: str
    missing: str
    foreign: tuple[str, ...] = ()


class ResolverContract:
    """What callers rely on; a subclass has a fixture `case` that gives a `ResolverCase`."""

    def test_it_supports_the_handles_of_its_kind_only(self, case: ResolverCase) -> None:
        """Also those that lead to nothing: then the resolver has to say so."""
        assert case.resolver.supports(Handle.parse(case.good))
        assert case.resolver.supports(Handle.parse(case.missing))
        for foreign in case.foreign:
            assert not case.resolver.supports(Handle.parse(foreign))

    def test_it_returns_a_folder_with_a_module(self, case: ResolverCase) -> None:
        """The folder is there when the call returns."""
        folder = case.resolver(Handle.parse(case.good))
        assert isinstance(folder, str)
        assert layout.kind_of(folder) is not layout.FolderKind.OTHER

    def test_it_returns_the_same_folder_again(self, case: ResolverCase) -> None:
        """A second call changes nothing."""
        handle = Handle.parse(case.good)
        folder = case.resolver(handle)
        content = files.listing(folder)
        assert case.resolver(handle) == folder
        assert files.listing(folder) == content

    def test_a_missing_module_is_an_error_that_names_the_handle(self, case: ResolverCase) -> None:
        """One of ours, and an `OSError`, as callers expect."""
        try:
            folder = case.resolver(Handle.parse(case.missing))
        except errors.HandleError as error:
            assert isinstance(error, OSError)
            assert str(Handle.parse(case.missing)) in str(error)
        else:
            raise AssertionError(f"{case.missing} resolved to {folder}")

    def test_it_is_found_by_resolve(self, case: ResolverCase) -> None:
        """Passed by value, as the only one."""
        handle = Handle.parse(case.good)
        assert resolve(case.good, resolvers=[case.resolver]) == case.resolver(handle)
