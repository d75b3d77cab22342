"""The examples for Kubernetes: objects of its APIs, whose commands have such flags, and whose cluster
is one that a training takes part in.
"""

from __future__ import annotations

import copy
import json
import pathlib

import jsonschema
import pytest
import yaml

from hub_estimator import estimator as tf_estimator
from hub_estimator import train
from tests.examples import kubernetes_schemas

FOLDER = pathlib.Path(__file__).parent.parent.parent / "examples" / "kubernetes"
PAGE = FOLDER.parent.parent / "docs" / "sweeps.md"
SCHEMAS = {"tfjob.yaml": kubernetes_schemas.TFJOB, "sweep.yaml": kubernetes_schemas.JOB}


def read(name):
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", SCHEMAS)
def test_it_is_an_object_of_its_api(name):
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[name])
    jsonschema.validate(read(name), SCHEMAS[name])


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("kind",), "TfJob"),
        (("spec", "cleanPodPolicy"), "None"),
        (("spec", "runPolicy", "cleanPodPolicy"), None),
        (("spec", "tfReplicaSpecs", "Chief", "replicas"), 2),
        (("spec", "tfReplicaSpecs", "Master"), {}),
        (("spec", "tfReplicaSpecs", "Worker", "template", "spec", "containers"), []),
    ],
    ids=lambda value: ".".join(value) if isinstance(value, tuple) else None,
)
def test_the_schema_refuses_what_the_operator_does(path, value):
    job = copy.deepcopy(read("tfjob.yaml"))
    place = job
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(job, kubernetes_schemas.TFJOB)


def tf_config(job, replica, index):
    """Returns what the operator puts into a pod: names as its services have them, no evaluator."""
    name, replicas = job["metadata"]["name"], job["spec"]["tfReplicaSpecs"]
    cluster = {
        kind.lower(): [
            f"{name}-{kind.lower()}-{number}.default.svc:{port(spec)}"
            for number in range(spec["replicas"])
        ]
        for kind, spec in replicas.items()
        if kind != "Evaluator"
    }
    return {"cluster": cluster, "task": {"type": replica.lower(), "index": index},
            "environment": "cloud"}  # fmt: skip


def port(spec):
    [container] = spec["template"]["spec"]["containers"]
    assert container["name"] == "tensorflow"
    [found] = [each for each in container["ports"] if each["name"] == "tfjob-port"]
    return found["containerPort"]


@pytest.mark.parametrize("replica", ["Chief", "Worker", "PS", "Evaluator"])
def test_each_task_is_one_of_a_cluster_that_trains(monkeypatch, replica):
    job = read("tfjob.yaml")
    for index in range(job["spec"]["tfReplicaSpecs"][replica]["replicas"]):
        monkeypatch.setenv("TF_CONFIG", json.dumps(tf_config(job, replica, index)))
        config = tf_estimator.RunConfig()
        assert (config.task_type, config.task_id) == (replica.lower(), index)
        if replica != "Evaluator":
            assert (config.num_ps_replicas, config.num_worker_replicas) == (1, 3)
        assert config.is_chief is (replica == "Chief")


def test_the_training_has_such_flags():
    specs = read("tfjob.yaml")["spec"]["tfReplicaSpecs"].values()
    container, *others = [spec["template"]["spec"]["containers"][0] for spec in specs]
    assert all(other == container for other in others)
    assert container["command"] == ["python", "-m", "hub_estimator.train"]
    values = train.define_flags()
    assert values(["train", *container["args"]]) == ["train"]
    assert values.model_dir == "runs/reviews"


def test_each_file_is_on_the_page():
    page = PAGE.read_text(encoding="utf-8")
    for path in FOLDER.iterdir():
        assert path.name == "BUILD" or f"(../examples/kubernetes/{path.name})" in page
