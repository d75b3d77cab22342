"""The cheapest cut between the start and the end of a network."""

from __future__ import annotations

import collections
from collections.abc import Hashable

START, END = "start of the network", "end of the network"


class Network:
    """Places with roads of limited capacity between them, from `START` to `END`."""

    def __init__(self) -> None:
        self._left: dict[Hashable, dict[Hashable, int]] = collections.defaultdict(dict)

    def add(self, place: Hashable, other: Hashable, capacity: int) -> None:
        """Adds a road from a place to another one; several between two add up."""
        self._left[place][other] = self._left[place].get(other, 0) + capacity
        self._left[other].setdefault(place, 0)

    def cut(self, limit: int) -> set[Hashable] | None:
        """Returns the places on the side of `START`, where cutting all roads out of it costs least.

        Source: Edmonds and Karp, "Theoretical Improvements in Algorithmic Efficiency for Network Flow
        Problems", 1972: the roads that the largest flow fills up.

        Args:
          limit: what may not be reached.

        Returns:
          The places; of several such sides the smallest. None where each cut costs `limit` or more.
        """
        flow = 0
        while flow < limit:
            came_from = self._reached()
            if END not in came_from:
                return set(came_from)
            flow += self._fill_up(came_from)
        return None

    def _reached(self) -> dict[Hashable, Hashable]:
        """Returns the places that roads with room lead to, by the shortest ways."""
        came_from: dict[Hashable, Hashable] = {START: START}
        open_: collections.deque[Hashable] = collections.deque([START])
        while open_ and END not in came_from:
            place = open_.popleft()
            for other, room in self._left[place].items():
                if room and other not in came_from:
                    came_from[other] = place
                    open_.append(other)
        return came_from

    def _fill_up(self, came_from: dict[Hashable, Hashable]) -> int:
        roads: list[tuple[Hashable, Hashable]] = []
        place: Hashable = END
        while place != START:
            roads.append((came_from[place], place))
            place = came_from[place]
        room = min(self._left[place][other] for place, other in roads)
        for place, other in roads:
            self._left[place][other] -= room
            self._left[other][place] += room
        return room
