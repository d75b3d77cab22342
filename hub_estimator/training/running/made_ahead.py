"""Values that threads make ahead of who uses them."""

from __future__ import annotations

import collections
from collections.abc import Callable, Generator, Iterator
from concurrent import futures
from typing import TypeVar

_S = TypeVar("_S")
_T = TypeVar("_T")


def made_ahead(
    function: Callable[[_S], _T], values: Iterator[_S], count: int
) -> Generator[_T, None, None]:
    """Gives what a function makes of values, in their order; while one is used, the next are made.

    An error comes in the place of what could not be made. Closing this waits for what is under way.

    Args:
      function: is called in threads.
      values: they are taken in a thread, one after the other; none is None.
      count: how many to work on at once; the first one by itself.
    """
    with futures.ThreadPoolExecutor(1) as taking, futures.ThreadPoolExecutor(count) as making:

        def made(taken: futures.Future[_S | None]) -> _T | None:
            value = taken.result()
            return None if value is None else function(value)

        def start() -> futures.Future[_T | None]:
            return making.submit(made, taking.submit(next, values, None))

        coming = collections.deque([start()])
        while (result := coming.popleft().result()) is not None:
            while len(coming) < count:
                coming.append(start())
            yield result
