"""Writes the BUILD files from the imports: run it after adding, moving or removing a file.

    python tools/build_files.py

Targets: one library per folder; in packages that have subpackages one per file, because these
depend on some of the files and others of the files depend on them. A file that runs as a command
is a binary, a file of tests is a test. TensorFlow and other requirements are the environment's.
"""

from __future__ import annotations

import ast
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ("benchmarks", "configs", "examples", "hub_estimator", "tests", "tools")
TOP = "hub_estimator"
TEMPLATES = "templates"  # the folder with what a library makes pages of
HEADER = """\
# Written by tools/build_files.py; run it again instead of editing.
load("@rules_python//python:defs.bzl", "py_binary", "py_library", "py_test")

package(default_visibility = ["//visibility:public"])
"""
ROOT_FILES = (
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "README.md",
    "pyproject.toml",
    "setup.py",
)


def build_files(root: pathlib.Path = ROOT) -> dict[pathlib.Path, str]:
    """Returns what each BUILD file of the checkout should hold."""
    files = {root / "BUILD": HEADER + f"\nexports_files(\n    {_list(ROOT_FILES)},\n)\n"}
    for folder in sorted({source.parent for source in _sources(root)}):
        targets = "".join(f"\n{target}" for target in _targets(root, folder))
        files[folder / "BUILD"] = HEADER + targets
    return files


def _sources(root: pathlib.Path) -> list[pathlib.Path]:
    found = [path for name in FOLDERS for path in (root / name).rglob("*")]
    return sorted(path for path in found if path.suffix in {".py", ".gin"})


def _targets(root: pathlib.Path, folder: pathlib.Path) -> list[str]:
    sources = sorted(path for path in folder.iterdir() if path.suffix == ".py")
    data = sorted(path.name for path in folder.glob("*.gin"))
    alone = [
        path for path in sources if _kind(root, path) != "py_library" or _is_single(root, path)
    ]
    together = [path for path in sources if path not in alone]
    targets = [_target(root, _kind(root, path), path.stem, [path]) for path in alone]
    if together:
        targets.append(_target(root, "py_library", folder.name, together))
    if data:
        targets.append(_filegroup(folder.name, data))
    if templates := sorted(f"{TEMPLATES}/{path.name}" for path in folder.glob(f"{TEMPLATES}/*")):
        targets.append(_filegroup(TEMPLATES, templates))
    return sorted(targets)


def _filegroup(name: str, sources: list[str]) -> str:
    return f'filegroup(\n    name = "{name}",\n    srcs = {_list(sources)},\n)\n'


def _is_single(root: pathlib.Path, path: pathlib.Path) -> bool:
    """Whether a file of the package is a target of its own: it is beside subpackages."""
    is_ours = path.is_relative_to(root / TOP) and path.name != "__init__.py"
    return is_ours and any(path.parent.glob("*/*.py"))


def _kind(root: pathlib.Path, path: pathlib.Path) -> str:
    if path.name.startswith("test_"):
        return "py_test"
    return (
        "py_binary" if '\nif __name__ == "__main__":' in path.read_text("utf-8") else "py_library"
    )


def _target(root: pathlib.Path, kind: str, name: str, sources: list[pathlib.Path]) -> str:
    lines = [f"{kind}(", f'    name = "{name}",']
    lines.append(f"    srcs = {_list([path.name for path in sources])},")
    label = f"//{sources[0].parent.relative_to(root).as_posix()}:{name}"
    labels = {found for path in sources for found in _dependencies(root, path)}
    if kind == "py_test":
        labels |= _conftests(root, sources[0])
    data = ["//configs:configs"] if label == f"//{TOP}:config" else []
    if kind == "py_library" and (sources[0].parent / TEMPLATES).is_dir():
        data.append(f":{TEMPLATES}")
    if data:
        lines.append(f"    data = {_list(data)},")
    if labels - {label}:
        lines.append(f"    deps = {_list(sorted(labels - {label}))},")
    return "\n".join([*lines, ")", ""])


def _dependencies(root: pathlib.Path, path: pathlib.Path) -> set[str]:
    modules = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            modules += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules += [f"{node.module}.{alias.name}" for alias in node.names]
    return {label for module in modules if (label := _label(root, path, module))}


def _label(root: pathlib.Path, user: pathlib.Path, module: str) -> str | None:
    """Returns the target that has `module`, which may end in names inside the module."""
    parts = module.split(".")
    for base in (root, user.parent):  # tests import the helpers beside them
        for end in range(len(parts), 0, -1):
            file = base.joinpath(*parts[:end]).with_suffix(".py")
            if not file.is_file():
                file = base.joinpath(*parts[:end]) / "__init__.py"
            if file.is_file():
                alone = _kind(root, file) != "py_library" or _is_single(root, file)
                folder = file.parent.relative_to(root).as_posix()
                return f"//{folder}:{file.stem if alone else file.parent.name}"
    return None


def _conftests(root: pathlib.Path, test: pathlib.Path) -> set[str]:
    folders = [folder for folder in test.parents if folder.is_relative_to(root / "tests")]
    return {
        f"//{folder.relative_to(root).as_posix()}:{folder.name}"
        for folder in folders
        if (folder / "conftest.py").is_file()
    }


def _list(names: tuple[str, ...] | list[str]) -> str:
    return "[\n" + "".join(f'        "{name}",\n' for name in names) + "    ]"


def main() -> None:
    """Writes the files that differ and removes those of folders that are gone."""
    wanted = build_files()
    for path, content in wanted.items():
        if not path.is_file() or path.read_text("utf-8") != content:
            path.write_text(content, "utf-8")
            print(path.relative_to(ROOT), file=sys.stderr)
    for name in FOLDERS:
        for path in set((ROOT / name).rglob("BUILD")) - set(wanted):
            path.unlink()


if __name__ == "__main__":
    main()
