"""Makes the goldens: the modules of `tests/modules.py` as the peer writes them, and their outputs.

    PYTHONPATH=. python -m tests.goldens.make

Run it with tensorflow-hub 0.15.0 on tensorflow-cpu 2.15.1 and numpy 1.26. Goldens that are there
already stay as they are: a golden is remade by removing its folder first. The whole stays under
300 KB.
"""

from __future__ import annotations

import json
import os
import pathlib
import tempfile

import tensorflow_hub

from tests import modules

FOLDER = pathlib.Path(__file__).parent.absolute()


def main() -> None:
    os.chdir(tempfile.mkdtemp())  # relative paths of sources: the peer leaks them into graphs
    for name, case in sorted(modules.CASES.items()):
        path = FOLDER / name
        if path.exists() or case.peer_fault:
            continue
        spec = modules.define(tensorflow_hub, name, name)
        modules.export(tensorflow_hub, spec, str(path / "module"))
        outputs = modules.outputs(tensorflow_hub, str(path / "module"), case.calls)
        (path / "outputs.json").write_text(json.dumps(outputs, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
