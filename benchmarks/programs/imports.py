"""What a command costs before it does anything: its seconds, and whether it imports TensorFlow.

python -m benchmarks.programs.imports -c "import hub_estimator"
python -m benchmarks.programs.imports -m hub_estimator.train --help
"""

from __future__ import annotations

import subprocess
import sys
import time

from benchmarks.programs.common import report


def main() -> None:
    # Python lists what it imports, with the time, on its error output.
    start = time.perf_counter()
    subprocess.run([sys.executable, *sys.argv[1:]], capture_output=True, check=True)
    seconds = time.perf_counter() - start
    command = [sys.executable, "-X", "importtime", *sys.argv[1:]]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    report(seconds=seconds, tensorflow="tensorflow" in imported)


if __name__ == "__main__":
    main()
