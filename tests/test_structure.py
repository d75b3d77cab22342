"""The structure that design keeps: layers, private names, and an import that does nothing."""

from __future__ import annotations

import ast
import pathlib
import subprocess
import sys

import pytest

pytestmark = pytest.mark.one_tensorflow

PACKAGE = pathlib.Path(__file__).parent.parent / "hub_estimator"

# From the top down; a layer may import those after it, and itself. What is in no layer's folder and
# not in BOTTOM is a command line or the facade: the top.
LAYERS = [
    *("top", "jobs", "sweep", "site", "training", "conversion", "keras"),
    *("graph", "format", "resolver", "compat", "bottom"),
]
BOTTOM = {
    *("config", "digests", "environment", "errors", "files", "json_text", "layout", "progress"),
    *("shell", "texts", "version"),
}
# What training consists of, from the top down; a part may import those of the rows after it, and
# itself. Those of one row know nothing of one another.
TRAINING = [
    {"fresh_process", "gin_predictors"},
    {"early_checks", "gin_experiments"},
    {"configurables"},
    {"reports"},
    {"running"},
    {"experiment", "model_folder"},
    {"exporters", "feature_cache"},
    {"inputs", "model"},
    {"optimization", "serving"},
    {"early_stopping", "kept", "parsing", "settings_text"},
    {"objective"},
    {"checks", "example_spec", "images"},
    {"labels"},
    {"cells", "charts", "step_checks"},
    {"__init__"},
]
# Likewise the graph: its wings, and what is made of them.
GRAPH = [
    {"columns"},
    {"eval_function", "images"},
    {"loaded_saved_model", "module", "registration", "reusable"},
    {"defining", "instance", "loading"},
    {"importing", "origins"},
    {"__init__"},
]
# Likewise jobs.
JOBS = [
    {"configurables", "scheduler", "status"},
    {"prometheus", "running", "work"},
    {"runs"},
    {"ledger"},
    {"job", "journal"},
    {"candidates", "gates", "keeping", "schedules"},
    {"destinations", "places"},
    {"__init__"},
]
# Likewise sweeps.
SWEEP = [
    {"finishing"},
    {"final_runs", "supervisor"},
    {"worker"},
    {"one_trial"},
    {"experiments", "study"},
    {"configurables", "devices", "plan"},
    {"runner", "sweep"},
    {"final_check", "pruners", "samplers", "storage", "unseen_data"},
    {"optuna_library", "records", "results", "space"},
    {"trials"},
    {"__init__"},
]
PARTS = {"training": TRAINING, "graph": GRAPH, "jobs": JOBS, "sweep": SWEEP}
# Layers that know nothing of one another.
STRANGERS = {"jobs", "sweep"}


def _sources() -> list[pathlib.Path]:
    return sorted(PACKAGE.rglob("*.py"))


def _layer(parts: tuple[str, ...]) -> str:
    """The layer of `hub_estimator.<parts>`."""
    if not parts:
        return "top"
    if parts[-1] == "__main__":  # a command that has the name of its layer
        return "top"
    if parts[0] in LAYERS:
        return parts[0]
    return "bottom" if parts[0] in BOTTOM else "top"


def _row(parts: tuple[str, ...]) -> int:
    """The row in PARTS of `hub_estimator.<parts>`, which is a layer that has parts, or in it."""
    rows = PARTS[parts[0]]
    [row] = [number for number, row in enumerate(rows) if _part(parts) in row]
    return row


def _part(parts: tuple[str, ...]) -> str:
    return parts[1] if len(parts) > 1 else "__init__"


def _may_import(user: tuple[str, ...], used: tuple[str, ...]) -> bool:
    """Whether `hub_estimator.<user>` may import `hub_estimator.<used>`."""
    if {_layer(user), _layer(used)} == STRANGERS:
        return False
    here, there = LAYERS.index(_layer(user)), LAYERS.index(_layer(used))
    if here == there and LAYERS[here] in PARTS:
        return _part(user) == _part(used) or _row(user) < _row(used)
    return here <= there


def _upward_imports(user: tuple[str, ...], text: str) -> list[str]:
    """What `hub_estimator.<user>`, with this text, imports but may not."""
    ours = [name for name in _imports(ast.parse(text)) if name.startswith("hub_estimator.")]
    return [name for name in ours if not _may_import(user, tuple(name.split(".")[1:]))]


def _imports(tree: ast.AST) -> list[str]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide the layer"
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return found


@pytest.mark.parametrize("source", _sources(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_downwards(source):
    parts = source.relative_to(PACKAGE).with_suffix("").parts
    if parts in (("__init__",), ("training", "__init__")):
        return  # a facade names all public things
    user = tuple(part for part in parts if part != "__init__")
    upward = _upward_imports(user, source.read_text())
    assert not upward, f"{source.name} imports {', '.join(upward)}: no layer below"


@pytest.mark.parametrize(
    ("user", "statement"),
    [
        ("training.running.run", "from hub_estimator.site import publishing"),
        ("resolver.listed", "from hub_estimator.site.index import text"),
        ("graph.module", "from hub_estimator.training.model import heads"),
        ("training.checks", "from hub_estimator.training import example_spec"),
        ("training.example_spec", "from hub_estimator.training import serving"),
        (
            "training.optimization.groups",
            "from hub_estimator.training.model.encoders import Encoder",
        ),
        ("training.inputs.base", "from hub_estimator.training.model import heads"),
        ("training.labels.label_spec", "from hub_estimator.training.inputs.columns import Table"),
        ("training.labels.label_spec", "from hub_estimator.training import example_spec"),
        ("training.charts.report_table", "from hub_estimator.training.labels import classes"),
        ("training.model.model_fn", "from hub_estimator.training.inputs.base import Input"),
        ("training.model.model_fn", "def f():\n    import hub_estimator.training.exporters.base"),
        ("training.exporters.base", "from hub_estimator.training.model_folder import history"),
        ("training.model_folder.model_folder", "from hub_estimator.training import experiment"),
        ("training.running.run", "from hub_estimator.training.reports import report"),
        ("training.feature_cache", "from hub_estimator.training.exporters import base"),
        ("training.running.train_and_evaluate", "from hub_estimator.training import configurables"),
        ("training", "from hub_estimator.training import checks"),
        ("keras.layer", "from hub_estimator.training import objective"),
        ("graph.loading", "from hub_estimator.keras import handles"),
        ("graph.instance.state", "from hub_estimator.graph.module import Module"),
        ("graph.importing.parts", "from hub_estimator.graph.instance import scopes"),
        ("graph.importing.parts", "from hub_estimator.graph.defining import assets"),
        ("graph.defining.authoring", "from hub_estimator.graph.instance.scopes import Scope"),
        ("graph.instance.plan", "from hub_estimator.graph.defining.assets import AssetNames"),
        ("graph.registration", "from hub_estimator.graph.module import Module"),
        ("graph.images", "from hub_estimator.graph import columns"),
        ("training.running.run", "from hub_estimator.jobs import job"),
        ("jobs.running", "from hub_estimator.jobs.scheduler import Scheduler"),
        ("jobs.running", "from hub_estimator.sweep import trials"),
        ("jobs.destinations.folders", "from hub_estimator.jobs.keeping import Keep"),
    ],
)
def test_upward_imports_are_found(user, statement):
    below = "from hub_estimator import errors\n"
    assert len(_upward_imports(tuple(user.split(".")), below + statement)) == 1


@pytest.mark.parametrize("layer", PARTS)
def test_each_part_of_a_layer_has_one_place(layer):
    folder = PACKAGE / layer
    sources = [path.relative_to(folder) for path in _sources() if path.is_relative_to(folder)]
    placed = [part for row in PARTS[layer] for part in row]
    found = {path.parts[0].removesuffix(".py") for path in sources} - {"__main__"}
    assert sorted(placed) == sorted(found)


@pytest.mark.parametrize("source", _sources(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_compat_touches_tensorflow_internals(source):
    if source.is_relative_to(PACKAGE / "compat"):
        return
    text = source.read_text()
    private = ("tensorflow.python", "tensorflow_estimator", "__internal__", "tf_keras")
    for name in _imports(ast.parse(text)):
        assert not name.startswith(private), name
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute) and node.attr.startswith("_"):
            owner = node.value
            is_own = isinstance(owner, ast.Name) and owner.id in {"self", "cls", "other"}
            is_own |= isinstance(owner, ast.Call) and ast.unparse(owner) == "super()"
            is_own |= (
                node.attr == "_replace"
            )  # a named tuple's, which its documentation makes public
            is_own |= ast.unparse(node) == "os._exit"  # public, as its documentation says
            dunder = node.attr.startswith("__") and node.attr.endswith("__")
            assert is_own or (dunder and node.attr != "__internal__"), (
                f"{source.name}:{node.lineno}: {ast.unparse(node)} is a private name"
            )


def test_importing_imports_nothing_heavy():
    program = (
        "import sys; before = set(sys.modules); import hub_estimator.training; "
        "print('\\n'.join(sorted(set(sys.modules) - before)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True, text=True, check=True, cwd=PACKAGE.parent,
    )  # fmt: skip
    imported = result.stdout.split()
    heavy = {"tensorflow", "numpy", "gin", "absl", "requests", "filelock", "keras", "tf_keras"}
    assert not heavy & set(imported)
    ours = [name for name in imported if name.startswith("hub_estimator")]
    assert ours == ["hub_estimator", "hub_estimator.training", "hub_estimator.version"]


def test_jobs_need_no_tensorflow():
    program = (
        "import sys; from hub_estimator import export_jobs; from hub_estimator.jobs import "
        "configurables, scheduler, status, work; print('\\n'.join(sys.modules))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True, text=True, check=True, cwd=PACKAGE.parent,
    )  # fmt: skip
    assert not {"tensorflow", "keras", "tf_keras"} & set(result.stdout.split())


def test_sweeps_need_no_tensorflow():
    program = (
        "import sys; from hub_estimator.sweep import __main__, configurables, experiments, "
        "supervisor; print('\\n'.join(sys.modules))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True, text=True, check=True, cwd=PACKAGE.parent,
    )  # fmt: skip
    assert not {"tensorflow", "keras", "tf_keras", "optuna"} & set(result.stdout.split())


def test_every_public_name_is_there():
    import hub_estimator as hub

    assert set(hub.__all__) == {"__version__", *vars(hub)["_WHERE"], *vars(hub)["_SUBMODULES"]}
    for name in hub.__all__:
        assert getattr(hub, name) is not None
    assert set(hub.__all__) <= set(dir(hub))
    with pytest.raises(AttributeError, match="module 'hub_estimator' has no attribute 'nothing'"):
        _ = hub.nothing


def test_every_public_name_of_training_is_there():
    from hub_estimator import training

    assert set(training.__all__) == {*vars(training)["_WHERE"], *vars(training)["_HEADS"]}
    for name in training.__all__:
        found = getattr(training, name)
        assert getattr(found, "__name__", name) in (name, f"{name}V2"), name
    assert set(training.__all__) <= set(dir(training))
    with pytest.raises(
        AttributeError, match="module 'hub_estimator.training' has no attribute 'x'"
    ):
        _ = training.x
