"""The smallest module, from the command line."""

from __future__ import annotations

import numpy as np

from examples import half_plus_two


def test_the_command_line_publishes_loads_and_calls(tmp_path, capsys):
    path = tmp_path / "module"
    assert half_plus_two.run(["half_plus_two", f"--export_path={path}"]) == 0
    assert capsys.readouterr().out.split("\n") == [
        f"Published {path}. It computes 0.5 * x + 2:",
        "     0 -> 2",
        "     1 -> 2.5",
        "     2 -> 3",
        "    10 -> 7",
        "",
    ]
    found = half_plus_two.call(str(path), np.array([-4, 0.5], np.float32))
    np.testing.assert_array_equal(found, np.array([0, 2.25], np.float32))


def test_a_module_that_is_there_is_refused(tmp_path, capsys):
    argv = ["half_plus_two", f"--export_path={tmp_path}/module"]
    assert half_plus_two.run(argv) == 0
    assert half_plus_two.run(argv) == 1
    assert capsys.readouterr().err == (
        f"error: There is a module in {tmp_path}/module already. "
        "Remove that folder, or choose another path.\n"
    )
