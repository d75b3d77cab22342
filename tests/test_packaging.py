"""What a wheel needs: configs, one version, extras; and files that show no machine."""

from __future__ import annotations

import ast
import os
import pathlib
import re
import subprocess
import sys

import pytest

import hub_estimator

pytestmark = pytest.mark.one_tensorflow

ROOT = pathlib.Path(__file__).parent.parent


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The files that a wheel gets, as paths below its root."""
    folder = tmp_path_factory.mktemp("built")
    program = (
        "import sys, setuptools; sys.argv = ['setup.py', '-q', 'egg_info', '-e', sys.argv[1], "
        "'build_py', '-d', sys.argv[1] + '/lib']; exec(open('setup.py').read(), "
        "{'__file__': 'setup.py', '__name__': '__main__'})"
    )
    subprocess.run([sys.executable, "-c", program, str(folder)], cwd=ROOT, check=True)
    return folder


def test_the_wheel_has_all_modules_configs_and_templates(built):
    lib = built / "lib"
    found = {path.relative_to(lib).as_posix() for path in lib.rglob("*") if path.is_file()}
    sources = (ROOT / "hub_estimator").rglob("*.py")
    wanted = {path.relative_to(ROOT).as_posix() for path in sources}
    wanted |= {f"hub_estimator/configs/{path.name}" for path in (ROOT / "configs").glob("*.gin")}
    templates = (ROOT / "hub_estimator").glob("**/templates/*")
    wanted |= {path.relative_to(ROOT).as_posix() for path in templates}
    assert found == wanted | {"hub_estimator/py.typed"}


def test_the_version_is_in_one_place(built):
    (info,) = built.glob("*.egg-info")
    assert f"\nVersion: {hub_estimator.__version__}\n" in (info / "PKG-INFO").read_text()
    version = re.escape(hub_estimator.__version__)
    elsewhere = [
        path.relative_to(ROOT).as_posix()
        for path in [*(ROOT / "hub_estimator").rglob("*.py"), ROOT / "setup.py"]
        if re.search(f"[\"']{version}[\"']", path.read_text())
    ]
    assert elsewhere == ["hub_estimator/version.py"]


def test_what_is_installed_with_the_package_and_its_extras(built):
    (info,) = built.glob("*.egg-info")
    always, _, extras = (info / "requires.txt").read_text().partition("\n\n")
    # The summary of a run names TensorBoard, which TensorFlow 2.21 does not bring.
    assert "tensorboard<2.22,>=2.15" in always.splitlines()
    found = {extra.split("]")[0][1:]: extra.split("\n")[1:] for extra in extras.split("\n\n")}
    # `make train` installs what the examples need: the report of its runs has pictures.
    assert set(found["plots"]) - {""} <= set(found["examples"])
    assert set(found["site"]) - {""} <= set(found["examples"])  # for `make site`


def test_examples_import_nothing_of_the_peer():
    for path in (ROOT / "examples").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in getattr(node, "names", [])]
            names.append(getattr(node, "module", None) or "")
            assert not [name for name in names if str(name).startswith("tensorflow_hub")], path


@pytest.mark.parametrize("name", [".ci/run", "Makefile", "setup.py", "README.md"])
def test_files_show_no_machine(name):
    text = (ROOT / name).read_text()
    assert not re.search(r"/(work|root|home|opt|Users)/|--(extra-)?index-url|find-links", text)


def test_the_ci_script_can_be_run():
    assert os.access(ROOT / ".ci/run", os.X_OK)


def test_the_license_is_whole():
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License\n                           Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
