"""The BUILD files name every file, and are what the tool writes."""

from __future__ import annotations

import importlib.util
import pathlib
import re

import pytest

pytestmark = pytest.mark.one_tensorflow

ROOT = pathlib.Path(__file__).parent.parent


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("build_files", ROOT / "tools/build_files.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _named(build: pathlib.Path) -> set[str]:
    blocks = re.findall(r"srcs = \[(.*?)\]", build.read_text(), re.DOTALL)
    return {name for block in blocks for name in re.findall(r'"(.+)"', block)}


def test_every_file_is_in_a_target(tool):
    missing = []
    for name in tool.FOLDERS:
        for path in (ROOT / name).rglob("*"):
            if path.suffix in {".py", ".gin"}:
                build = path.parent / "BUILD"
                if not build.is_file() or path.name not in _named(build):
                    missing.append(str(path.relative_to(ROOT)))
    assert not missing, "run: make build-files"


def test_no_build_file_differs_from_what_the_tool_writes(tool):
    differing = [
        str(path.relative_to(ROOT))
        for path, content in tool.build_files().items()
        if not path.is_file() or path.read_text() != content
    ]
    assert not differing, "run: make build-files"


def test_targets_do_not_depend_on_one_another_in_circles(tool):
    deps = {}
    for path, content in tool.build_files().items():
        folder = path.parent.relative_to(ROOT).as_posix()
        for name, rest in re.findall(r'    name = "(.+?)",\n(.*?)\n\)', content, re.DOTALL):
            found = re.search(r"deps = \[(.*?)\]", rest, re.DOTALL)
            deps[f"//{folder}:{name}"] = re.findall(r'"(.+)"', found[1]) if found else []
    done: set[str] = set()

    def visit(target: str, path: tuple[str, ...]) -> None:
        assert target in deps, f"{path[-1]} depends on {target}, which is no target"
        assert target not in path, f"a circle: {' -> '.join([*path, target])}"
        if target not in done:
            for dep in deps[target]:
                visit(dep, (*path, target))
            done.add(target)

    for target in deps:
        visit(target, ())


def test_files_and_imports_become_targets(tool, tmp_path):
    library = tmp_path / "hub_estimator" / "format"
    library.mkdir(parents=True)
    (tmp_path / "hub_estimator" / "errors.py").write_text("")
    (library / "__init__.py").write_text("")
    (library / "read.py").write_text("from hub_estimator import errors\nimport tensorflow\n")
    found = tool.build_files(tmp_path)[library / "BUILD"]
    assert found == tool.HEADER + (
        '\npy_library(\n    name = "format",\n'
        '    srcs = [\n        "__init__.py",\n        "read.py",\n    ],\n'
        '    deps = [\n        "//hub_estimator:errors",\n    ],\n)\n'
    )
