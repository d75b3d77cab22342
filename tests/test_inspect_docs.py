"""The page on what modules are names each key, and its example runs."""

from __future__ import annotations

import dataclasses
import pathlib
import re

import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator.format.description import common_signatures, module_description
from hub_estimator.format.description.differences import Change, ModuleDifference
from hub_estimator.format.description.value_changes import ValueChange
from hub_estimator.format.side_effects import SideEffect
from tests.format.editing import export
from tests.modules import tf1

PAGE = (pathlib.Path(__file__).parent.parent / "docs" / "inspect.md").read_text(encoding="utf-8")
MODULE, VARIANT, DIFFERENCE = re.findall(r"\| key of .*?\n\n", PAGE + "\n\n", re.DOTALL)


def _keys(kind):
    properties = [name for name, member in vars(kind).items() if isinstance(member, property)]
    return [*(field.name for field in dataclasses.fields(kind)), *properties]


def _rows(table):
    """The keys in the first column of a table."""
    firsts = [line.split("|")[1] for line in table.splitlines()[2:] if line]
    return [key for first in firsts for key in re.findall("`(.*?)`", first)]


@pytest.mark.parametrize(
    ("table", "kind"),
    [
        (MODULE, module_description.ModuleDescription),
        (VARIANT, module_description.VariantDescription),
        (DIFFERENCE, ModuleDifference),
    ],
)
def test_each_key_has_a_row(table, kind):
    assert sorted(_rows(table)) == sorted(_keys(kind))


@pytest.mark.parametrize(
    ("table", "kind"),
    [
        (MODULE, module_description.VariableDescription),
        (MODULE, module_description.AssetDescription),
        (MODULE, module_description.CommonSignature),
        (MODULE, module_description.Totals),
        (VARIANT, module_description.SignatureDescription),
        (VARIANT, module_description.TensorDescription),
        (VARIANT, module_description.TableDescription),
        (VARIANT, module_description.MessageDescription),
        (VARIANT, SideEffect),
        (DIFFERENCE, Change),
        (DIFFERENCE, ValueChange),
    ],
)
def test_keys_of_parts_are_named(table, kind):
    assert set(_keys(kind)) <= set(re.findall("`(.*?)`", table))


def test_the_kinds_and_tasks_are_named():
    for kind in module_description.ModuleKind:
        assert f"`{kind.value}`" in MODULE
    for interface in vars(common_signatures)["_OF_MODULES"]:
        assert f"\n| {interface.task} | " in PAGE and f"`{interface.signature}`" in PAGE


def test_its_example_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def write(name, value):
        def module_fn():
            images = tf1.placeholder(tf.float32, [None, 8, 8, 1])
            scale = tf1.get_variable("scale", [4], initializer=tf1.constant_initializer(value))
            hub.add_signature(inputs={"images": images}, outputs=images * scale)

        export(module_fn, f"out/{name}")

    write("digits_module", 1.0)
    write("digits_longer", 1.5)
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(program, "inspect.md", "exec"), {})  # noqa: S102  it is our own
    assert capsys.readouterr().out == "TF1 Hub module 4 (8, 8)\nFalse 0.5\n"
