"""Makes data to measure with: `reviews`, real movie reviews split as the examples split them.

python -m benchmarks.data --name=reviews --path=out/bench/data/reviews
"""

from __future__ import annotations

import argparse

NAMES = ("reviews",)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--name", required=True, choices=NAMES)
    parser.add_argument("--path", required=True)
    from examples.text_embeddings import reviews

    reviews.write_split(parser.parse_args().path)


if __name__ == "__main__":
    main()
