"""What the examples for Kubernetes may say, as JSON Schemas: of each object the fields that we use.

Written from the references of the APIs: kubeflow.org/v1 TFJob, batch/v1 Job, core/v1 PodTemplateSpec.
A field that is none of them is refused, as `kubectl apply --validate=strict` does.
"""

from __future__ import annotations

from typing import Any

NAME = {"type": "string", "pattern": r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"}
QUANTITY = {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?(m|[KMGT]i?)?$"}
COUNT = {"type": "integer", "minimum": 0}


def an_object(required: str = "", **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": required.split(),
        "additionalProperties": False,
    }


def each(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": 1}


ANNOTATIONS = {"type": "object", "additionalProperties": {"type": "string"}}
TEXT = {"type": "string", "minLength": 1}
RESOURCES = an_object(cpu=QUANTITY, memory=QUANTITY, **{"nvidia.com/gpu": COUNT})
SECRET = an_object("secretKeyRef", secretKeyRef=an_object("name key", name=NAME, key=TEXT))
CONTAINER = an_object(
    "name image command",
    name=NAME,
    image=TEXT,
    workingDir={"type": "string", "pattern": "^/"},
    command=each(TEXT),
    args=each(TEXT),
    env=each(an_object("name", name=TEXT, value={"type": "string"}, valueFrom=SECRET)),
    ports=each(
        an_object(
            "containerPort",
            name={"type": "string", "pattern": "^[a-z0-9-]{1,15}$"},
            containerPort={"type": "integer", "minimum": 1, "maximum": 65535},
        )
    ),
    resources=an_object(requests=RESOURCES, limits=RESOURCES),
    volumeMounts=each(an_object("name mountPath", name=NAME, mountPath=TEXT, subPath=TEXT)),
)
VOLUME = an_object(
    "name persistentVolumeClaim",
    name=NAME,
    persistentVolumeClaim=an_object("claimName", claimName=NAME),
)
POD = an_object(
    "containers",
    restartPolicy={"enum": ["Never", "OnFailure"]},
    terminationGracePeriodSeconds=COUNT,
    containers=each(CONTAINER),
    volumes=each(VOLUME),
)
TEMPLATE = an_object("spec", metadata=an_object(annotations=ANNOTATIONS), spec=POD)

# The operator takes these types of replicas; of a chief and an evaluator there is one.
REPLICAS = {
    "Chief": {"const": 1},
    "Worker": {"type": "integer", "minimum": 1},
    "PS": {"type": "integer", "minimum": 1},
    "Evaluator": {"const": 1},
}
TFJOB = an_object(
    "apiVersion kind metadata spec",
    apiVersion={"const": "kubeflow.org/v1"},
    kind={"const": "TFJob"},
    metadata=an_object("name", name=NAME, namespace=NAME),
    spec=an_object(
        "tfReplicaSpecs",
        runPolicy=an_object(
            cleanPodPolicy={"enum": ["None", "Running", "All"]},
            ttlSecondsAfterFinished=COUNT,
            activeDeadlineSeconds=COUNT,
            backoffLimit=COUNT,
        ),
        successPolicy={"enum": ["", "AllWorkers"]},
        tfReplicaSpecs=an_object(
            "Chief Worker PS Evaluator",
            **{
                name: an_object(
                    "replicas restartPolicy template",
                    replicas=replicas,
                    restartPolicy={"enum": ["Always", "OnFailure", "Never", "ExitCode"]},
                    template=TEMPLATE,
                )
                for name, replicas in REPLICAS.items()
            },
        ),
    ),
)
JOB = an_object(
    "apiVersion kind metadata spec",
    apiVersion={"const": "batch/v1"},
    kind={"const": "Job"},
    metadata=an_object("name", name=NAME, namespace=NAME),
    spec=an_object(
        "template",
        completionMode={"enum": ["Indexed", "NonIndexed"]},
        completions=COUNT,
        parallelism=COUNT,
        backoffLimit=COUNT,
        backoffLimitPerIndex=COUNT,
        ttlSecondsAfterFinished=COUNT,
        template=TEMPLATE,
    ),
)
