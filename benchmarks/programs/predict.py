"""Embedding many short texts: rows per second.

The peer is called as its users call it, in a loop over batches of 32. Ours is called in batches of
1,024, as bulk prediction is.
"""

from __future__ import annotations

import itertools
from typing import Any

from benchmarks.programs import common

BATCHES = {"hub_estimator": 1024, "tensorflow_hub": 32}
WORDS = ("good", "bad", "film", "plot", "long", "actor", "music", "story", "best", "worst", "ever")


def texts(count: int) -> list[str]:
    """Returns different texts of five words."""
    return [
        " ".join(words) for words in itertools.islice(itertools.product(WORDS, repeat=5), count)
    ]


def measure(library: Any, module: str, rows: list[str], batch: int) -> dict[str, float]:
    clock = common.Clock()
    with clock("seconds"), library.eval_function_for_module(module) as evaluate:
        for start in range(0, len(rows), batch):
            evaluate(rows[start : start + batch])
    return {**clock.seconds, "rows_per_second": len(rows) / clock.seconds["seconds"]}


def main() -> None:
    parser = common.parser(__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    arguments = parser.parse_args()
    library = common.load(arguments.library)
    batch = BATCHES[arguments.library]
    common.report(**measure(library, arguments.module, texts(arguments.rows), batch))


if __name__ == "__main__":
    main()
