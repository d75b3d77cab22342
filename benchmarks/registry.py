"""All benchmarks: what is measured and the goals. To add one, write a program and an entry here."""

from __future__ import annotations

from benchmarks.harness import Benchmark, Figure

_LIBRARIES = ("hub_estimator", "tensorflow_hub")
_OF_A_FILE = "100,000 texts with everything, a file"
_PARTS = (
    Figure("module", "Module(), seconds"),
    Figure("call", "first call, seconds"),
    Figure("initialize", "initializers, seconds"),
)


def _both(
    name: str,
    program: str,
    module: str,
    figures: tuple[Figure, ...],
    *arguments: str,
    data: tuple[str, ...] = (),
    runs: int | None = None,
) -> Benchmark:
    """Returns a benchmark whose program takes `--library` and `--module`."""
    ours, peer = (
        [
            "-m", f"benchmarks.programs.{program}", f"--library={library}",
            f"--module={{modules}}/{module}", *arguments,
        ]
        for library in _LIBRARIES
    )  # fmt: skip
    return Benchmark(name, ours, peer, figures, modules=(module,), data=data, runs=runs)


def _instantiate(module: str, tag: str, second: str) -> Benchmark:
    is_image = module != "transformer"
    figures = (
        Figure("total", "Module() + call + initializers, seconds", 0.25),
        *_PARTS,
        Figure("second", "call of another signature, seconds", 0.15 if is_image else None),
        Figure("operations", "operations after Module() + call", 0.35),
    )
    tags = [f"--tag={tag}"] if tag else []
    name = f"instantiate/{module}/{tag or 'inference'}"
    return _both(name, "instantiate", module, figures, f"--second={second}", *tags)


def _modules() -> list[Benchmark]:
    """What a module costs: instance, memory, export, checkpoint."""
    seconds = {
        "inception_v3": "image_classification",
        "resnet_v2_50": "image_classification",
        "transformer": "masked_words",
    }
    return [
        *(_instantiate(name, tag, seconds[name]) for name in seconds for tag in ("", "train")),
        _both(
            "memory/resnet_v2_50",
            "memory",
            "resnet_v2_50",
            (
                Figure("peak", "peak memory of the process, MiB", 1.0),
                Figure("added", "of that, added after the imports, MiB"),
                Figure("seconds", "load and one batch of 8, seconds"),
            ),
        ),
        *(
            _both(f"export/{name}", "export", name, (Figure("export", "m.export, seconds", 0.7),))
            for name in seconds
        ),
        *(
            _both(
                f"latest_export/{name}",
                "latest_export",
                name,
                (Figure("export", "LatestModuleExporter.export, seconds", 0.7),),
            )
            for name in ("inception_v3", "resnet_v2_50")
        ),
        *(
            _both(
                name,
                "checkpoint",
                "resnet_v2_50",
                (
                    Figure("megabytes", f"checkpoint {of}, MiB"),
                    Figure("save", "time to save one, seconds"),
                ),
                *arguments,
            )
            for name, of, arguments in (
                ("checkpoint/frozen", "of a frozen module", ()),
                ("checkpoint/without_frozen", "without the frozen module", ("--without_frozen",)),
            )
        ),
    ]


def _training() -> list[Benchmark]:
    """What training and predicting cost."""
    speed = Figure("steps_per_second", "steps per second", 1.0, more_is_better=True)
    train = ["--data={data}/reviews"]
    return [
        _both(
            "train/text/fine_tuned",
            "train_text",
            "text",
            (speed, Figure("seconds", "wall time with everything, seconds")),
            *train,
            "--steps=600",
            "--fine_tune",
            data=("reviews",),
        ),
        _both(
            "train/text/frozen",
            "train_text",
            "text",
            (Figure("seconds", "ten epochs with everything, seconds", 0.2),),
            *train,
            "--steps=1563",  # 20,000 reviews / 128 a step, ten times
            data=("reviews",),
        ),
        *(
            _both(
                f"train/{name}/frozen",
                "train_images",
                name,
                (Figure("seconds", "ten epochs with everything, seconds", goal),),
                runs=runs,
            )
            for name, goal, runs in (("inception_v3", 0.15, 1), ("inception_v3_small", None, 3))
        ),
        *(
            _both(
                name,
                program,
                "text",
                (Figure("rows_per_second", f"{what}, rows per second", 3.0, more_is_better=True),),
                *arguments,
            )
            for name, program, what, arguments in (
                ("predict/text", "predict", "100,000 texts", ()),
                ("predict/file", "predict_file", f"{_OF_A_FILE} of CSV", ()),
                ("predict/json_lines", "predict_file", f"{_OF_A_FILE} of JSON", ("--form=jsonl",)),
            )
        ),
    ]


def _evaluations() -> list[Benchmark]:
    """What evaluations during training cost."""
    return [
        Benchmark(
            "evaluations/text",
            [
                "-m", "benchmarks.programs.evaluations", "--module={modules}/text",
                "--data={data}/reviews",
            ],
            None,
            (Figure("evaluation", "an evaluation during training, seconds"),),
            modules=("text",),
            data=("reviews",),
        )
    ]  # fmt: skip


def _last_layers() -> list[Benchmark]:
    """What training the last layers of an encoder costs, beside running all of it in each step."""
    return [
        Benchmark(
            f"last_layers/{module}",
            [
                "-m", "benchmarks.programs.train_last_layers", "--library=hub_estimator",
                f"--module={{modules}}/{module}", f"--trainable={trainable}",
            ],
            None,
            (
                Figure("ratio", "ten epochs, the layers before once / in each step", goal),
                Figure("steps", "a step, the layers before stored / run"),
                Figure("with", "ten epochs, the layers before once, seconds"),
            ),
            modules=(module,),
        )
        for module, trainable, goal in (
            ("transformer", "layer_11/", 0.35),
            ("sentences", "layer/[45]/", 0.7),
        )
    ]  # fmt: skip


def _keras() -> list[Benchmark]:
    """What training costs in Keras."""
    program = ["-m", "benchmarks.programs.keras_fit", "--data={data}/reviews", "--steps=300"]
    ours, peer = (
        [*program, f"--library={library}", f"--module={{modules}}/{module}"]
        for library, module in zip(_LIBRARIES, ("text", "text_tf2"), strict=True)
    )
    speed = Figure("steps_per_second", "model.fit, steps per second", 1.0, more_is_better=True)
    return [
        Benchmark(
            "keras/text/fine_tuned",
            ours,
            peer,
            (speed,),
            modules=("text", "text_tf2"),
            data=("reviews",),
        ),
        Benchmark(
            "keras/text/loop",
            [
                "-m", "benchmarks.programs.train_text", "--library=hub_estimator",
                "--module={modules}/text", "--data={data}/reviews", "--steps=600", "--fine_tune",
            ],
            ours,
            (
                Figure(
                    "steps_per_second",
                    "the loop beside model.fit, steps per second",
                    2.0,
                    more_is_better=True,
                ),
            ),
            modules=("text",),
            data=("reviews",),
            on_newest=True,
        ),
    ]  # fmt: skip


def _images() -> list[Benchmark]:
    """What reading images costs."""
    ours, keras = (
        ["-m", "benchmarks.programs.decode_images", f"--reader={reader}"]
        for reader in ("hub_estimator", "keras")
    )
    speed = Figure(
        "images_per_second", "JPEG files, images per second of a core", 1.0, more_is_better=True
    )
    return [Benchmark("images/decode", ours, keras, (speed,))]


def _imports() -> list[Benchmark]:
    """What a command costs before it does anything."""
    figures = (
        Figure("tensorflow", "imports TensorFlow (0: no)", 0.0),
        Figure("seconds", "seconds"),
    )
    program = ["-m", "benchmarks.programs.imports"]
    ours, peer = ([*program, "-c", f"import {library}"] for library in _LIBRARIES)
    help_ = [*program, "-m", "hub_estimator.train", "--help"]
    return [
        Benchmark("import", ours, peer, figures),
        Benchmark("help", help_, None, figures),
    ]


def _start() -> list[Benchmark]:
    """What a training costs before its first step."""
    return [
        Benchmark(
            "first_step/text",
            [
                "-m", "benchmarks.programs.first_step", "--module={modules}/text",
                "--data={data}/reviews",
            ],
            None,
            (
                Figure("ratio", "start to first step, features stored / import tensorflow", 1.3),
                Figure("first_step", "start to first step, seconds"),
                Figure("import", "import tensorflow, seconds"),
            ),
            modules=("text",),
            data=("reviews",),
        )
    ]  # fmt: skip


def benchmarks() -> list[Benchmark]:
    """Returns all benchmarks, in the order of the table."""
    return [
        *_modules(), *_training(), *_evaluations(), *_last_layers(), *_keras(), *_images(),
        *_imports(), *_start(),
    ]  # fmt: skip
