"""Small modules that several tests share: one for each behaviour of the format.

Each `module_fn` here is made by a function that takes the implementation (`hub_estimator`, or the
peer `tensorflow_hub`) and an empty folder for the files it needs, so that both can define it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

tf1 = tf.compat.v1

TRAIN = frozenset({"train"})
BOTH_VARIANTS = ((frozenset(), {}), (TRAIN, {"is_training": True}))


@dataclasses.dataclass(frozen=True)
class Call:
    """One call of a module, always with `as_dict=True`.

    Attributes:
      inputs: the inputs by name: arrays, lists, `SparseTensorValue` or `RaggedTensorValue`.
      signature: the signature's name.
      tags: the variant's tags.
    """

    inputs: Mapping[str, Any]
    signature: str = "default"
    tags: frozenset[str] = frozenset()


@dataclasses.dataclass(frozen=True)
class Case:
    """A module and calls of it.

    Attributes:
      module_fn: makes the `module_fn` for an implementation and a folder.
      calls: what to call.
      variants: the `tags_and_args`.
      peer_fault: what the peer does wrong, where it cannot do this; the comparison is left out.
    """

    module_fn: Callable[[Any, str], Callable[..., None]]
    calls: tuple[Call, ...]
    variants: tuple[tuple[frozenset[str], Mapping[str, Any]], ...] = ((frozenset(), {}),)
    peer_fault: str = ""


CASES: dict[str, Case] = {}


def case(*calls: Call, **kwargs: Any) -> Callable[[Any], Any]:
    """Registers a maker of a `module_fn` as a case under the maker's name."""

    def register(maker: Any) -> Any:
        CASES[maker.__name__] = Case(maker, calls, **kwargs)
        return maker

    return register


@contextlib.contextmanager
def control_flow(v2: bool) -> Iterator[None]:
    """Chooses between functional control flow (v2) and `Switch`, `Merge`, `Enter` (v1)."""
    before = tf1.control_flow_v2_enabled()
    (tf1.enable_control_flow_v2 if v2 else tf1.disable_control_flow_v2)()
    try:
        yield
    finally:
        (tf1.enable_control_flow_v2 if before else tf1.disable_control_flow_v2)()


def write_lines(folder: str, name: str, lines: list[str]) -> str:
    """Writes a text file; `name` may have folders. Returns its path."""
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write("".join(f"{line}\n" for line in lines))
    return path


def numbers(shape: list[int], scale: float = 0.1, start: int = 1) -> Any:
    """An initializer: `start, start + 1, ...` times `scale`, in this shape."""
    size = int(np.prod(shape))
    values = (np.arange(start, start + size) * scale).reshape(shape).astype(np.float32)
    return tf1.constant_initializer(values)


def variable(name: str, shape: list[int], **kwargs: Any) -> tf.Variable:
    """A variable with different values in each place."""
    return tf1.get_variable(
        name, shape, initializer=kwargs.pop("initializer", numbers(shape)), **kwargs
    )


def as_tensor(value: Any) -> Any:
    """Returns a tensor of the default graph for a value of a `Call`."""
    if isinstance(value, tf1.SparseTensorValue):
        return tf.SparseTensor.from_value(value)
    if isinstance(value, tf1.ragged.RaggedTensorValue):
        return tf.ragged.constant(value.to_list(), dtype=value.dtype)
    return tf.constant(value)


def plain(value: Any) -> Any:
    """Returns an output's value in plain lists, for comparison and for JSON."""
    if isinstance(value, tf1.SparseTensorValue):
        return {
            "indices": plain(value.indices),
            "values": plain(value.values),
            "dense_shape": plain(value.dense_shape),
        }
    if isinstance(value, tf1.ragged.RaggedTensorValue):
        return {"ragged": plain(np.array(value.to_list(), dtype=object))}
    if isinstance(value, (list, tuple)):
        return [plain(element) for element in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return plain(value.tolist())
    return value.decode("utf-8") if isinstance(value, bytes) else value


def define(hub: Any, name: str, folder: str) -> Any:
    """Returns the spec of a case, defined with an implementation."""
    found = CASES[name]
    variants = [(set(tags), dict(args)) for tags, args in found.variants]
    return hub.create_module_spec(found.module_fn(hub, folder), variants)


def initialize(session: tf1.Session) -> None:
    """Runs the initializers of variables and tables."""
    session.run([tf1.global_variables_initializer(), tf1.tables_initializer()])


def export(hub: Any, spec: Any, path: str, tags: Any = None) -> str:
    """Exports a spec's module with the values that its initializers give; returns the path."""
    with tf.Graph().as_default():
        module = hub.Module(spec, tags=tags)
        with tf1.Session() as session:
            initialize(session)
            module.export(str(path), session)
    return str(path)


def outputs(hub: Any, spec: Any, calls: tuple[Call, ...]) -> list[Any]:
    """Returns the plain outputs of calls, each in a graph of its own."""
    results = []
    for call in calls:
        with tf.Graph().as_default():
            module = hub.Module(spec, tags=set(call.tags))
            inputs = {key: as_tensor(value) for key, value in call.inputs.items()}
            fetches = module(inputs, signature=call.signature, as_dict=True)
            with tf1.Session() as session:
                initialize(session)
                values = session.run(fetches)
        results.append({key: plain(value) for key, value in values.items()})
    return results


def assert_equal(first: Any, second: Any, tolerance: float = 1e-6) -> None:
    """Asserts that plain outputs are equal, numbers within a tolerance."""
    if isinstance(first, dict):
        assert sorted(first) == sorted(second)
        for key in first:
            assert_equal(first[key], second[key], tolerance)
    elif isinstance(first, list):
        assert len(first) == len(second)
        for one, other in zip(first, second, strict=True):
            assert_equal(one, other, tolerance)
    elif isinstance(first, float):
        assert abs(first - second) <= tolerance * max(1.0, abs(first)), (first, second)
    else:
        assert first == second


def in_thread(program: Callable[[], None]) -> None:
    """Runs a program in a thread, which has no default graph and so executes eagerly."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            program()
        except BaseException as error:  # noqa: BLE001  another thread's, raised below
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]


X23 = np.arange(6, dtype=np.float32).reshape([2, 3])
WORDS = np.array([b"b", b"zzz", b"a"])


def placeholder(dtype: Any = tf.float32, shape: Any = (None, 3), name: str = "x") -> tf.Tensor:
    return tf1.placeholder(dtype, shape, name=name)


# --- inputs and outputs ----------------------------------------------------------------------


@case(Call({"default": X23}))
def dense(hub, folder):
    def module_fn():
        x = placeholder()
        y = tf.matmul(x, variable("w", [3, 2])) + variable("b", [2])
        hub.add_signature(inputs=x, outputs=y)

    return module_fn


@case(Call({}))
def no_inputs(hub, folder):
    def module_fn():
        hub.add_signature(outputs=2 * variable("table", [2, 2]))

    return module_fn


@case(
    Call({"a": X23, "b": X23 + 1}),
    Call({"only": np.int64(3)}, "second"),
    Call({"only": np.int64(3)}, "with:colon"),
)
def several(hub, folder):
    def module_fn():
        a, b = placeholder(name="a"), placeholder(name="b")
        w = variable("scope/w", [3])
        outputs = {"default": a + w, "sum": a + b, "product": a * b * w}
        hub.add_signature(inputs={"a": a, "b": b}, outputs=outputs)
        only = placeholder(tf.int64, [], "only")
        out = {"text": tf.strings.as_string(only), "positive": only > 0}
        hub.add_signature("second", inputs={"only": only}, outputs=out)
        hub.add_signature("with:colon", inputs={"only": only}, outputs={"negative": -only})

    return module_fn


@case(Call({"default": X23}))
def input_is_output(hub, folder):
    def module_fn():
        x = placeholder()
        hub.add_signature(inputs=x, outputs={"default": x, "twice": 2 * x})

    return module_fn


@case(Call({"default": tf1.SparseTensorValue([[0, 1], [1, 2]], np.float32([1, 2]), [2, 3])}))
def sparse(hub, folder):
    def module_fn():
        x = tf1.sparse_placeholder(tf.float32, [None, 3])
        w = variable("w", [3, 2])
        y = tf.SparseTensor(x.indices, x.values * 3, x.dense_shape)
        outputs = {"default": tf.sparse.sparse_dense_matmul(x, w), "sparse": y}
        hub.add_signature(inputs=x, outputs=outputs)

    return module_fn


@case(Call({"default": tf1.ragged.constant_value([[1.0, 2.0], [], [3.0]], dtype=np.float32)}))
def ragged(hub, folder):
    def module_fn():
        values = placeholder(tf.float32, [None], "values")
        splits = placeholder(tf.int64, [None], "splits")
        x = tf.RaggedTensor.from_row_splits(values, splits, validate=False)
        hub.add_signature(inputs=x, outputs={"default": x * variable("w", []), "n": x.nrows()})

    return module_fn


# --- state -----------------------------------------------------------------------------------


@case(Call({"default": X23}))
def ref_variables(hub, folder):
    def module_fn():
        x = placeholder()
        w = variable("w", [3, 2], use_resource=False)
        counter = tf1.Variable(7, use_resource=False, trainable=False, name="counter")
        y = {"default": tf.matmul(x, w), "counter": tf.identity(counter)}
        hub.add_signature(inputs=x, outputs=y)

    return module_fn


def _in_parts(name: str, shape: list[int], parts: int, **kwargs: Any) -> Any:
    def initializer(shape, dtype, partition_info=None):
        offset = partition_info.var_offset[0] if partition_info else 0
        return tf.ones(shape, dtype) * (offset + tf.range(shape[0], dtype=dtype)[:, None])

    return tf1.get_variable(
        name,
        shape,
        initializer=initializer,
        partitioner=tf1.fixed_size_partitioner(parts),
        **kwargs,
    )


def _rows(parts: Any, ids: tf.Tensor) -> tf.Tensor:
    return tf1.nn.embedding_lookup(parts, ids, partition_strategy="div")


@case(Call({"default": np.array([0, 3, 12], np.int64)}))
def partitioned(hub, folder):
    def module_fn():
        ids = placeholder(tf.int64, [None], "ids")
        big = _in_parts("big", [13, 2], 11)
        two = _in_parts("two", [13, 3], 2)
        ref = _in_parts("ref", [13, 1], 3, use_resource=False)
        one = _in_parts("one", [13, 1], 1)
        outputs = {
            "default": _rows(big, ids),
            "two": _rows(two, ids),
            "ref": _rows(ref, ids),
            "one": _rows(one, ids),
        }
        hub.add_signature(inputs=ids, outputs=outputs)

    return module_fn


@case(Call({"default": X23}))
def reused_variables(hub, folder):
    def module_fn():
        x = placeholder()
        with tf1.variable_scope("layer", reuse=tf1.AUTO_REUSE):
            w = variable("w", [3])
        with tf1.variable_scope("layer", reuse=tf1.AUTO_REUSE):
            assert w is variable("w", [3])
        average = tf.train.ExponentialMovingAverage(0.5)
        update = average.apply([w])
        tf1.add_to_collection(tf1.GraphKeys.UPDATE_OPS, update)

        def averaged(getter, name, *args, **kwargs):
            return average.average(getter(name, *args, **kwargs))

        with tf1.variable_scope("layer", reuse=True, custom_getter=averaged):
            smooth = tf1.get_variable("w")
        tf1.get_collection_ref(tf1.GraphKeys.MOVING_AVERAGE_VARIABLES)[:] = []
        hub.add_signature(inputs=x, outputs={"default": x * w, "smooth": x * smooth})

    return module_fn


@case(Call({"default": np.array([1, 2], np.int64)}))
def initialized_from_another(hub, folder):
    def module_fn():
        x = placeholder(tf.int64, [None])
        first = tf1.Variable([5, 6, 7], dtype=tf.int64, name="first")
        value = tf.cond(
            tf1.is_variable_initialized(first), first.read_value, lambda: first.initial_value
        )
        second = tf1.Variable(value * 2, name="second")
        hub.add_signature(inputs=x, outputs=tf.gather(first + second, x))

    return module_fn


# --- tables and assets -----------------------------------------------------------------------


def _file_table(path: str) -> Any:
    return tf.lookup.StaticHashTable(
        tf.lookup.TextFileInitializer(
            path,
            tf.string,
            tf.lookup.TextFileIndex.WHOLE_LINE,
            tf.int64,
            tf.lookup.TextFileIndex.LINE_NUMBER,
        ),
        -1,
    )


@case(Call({"default": WORDS}))
def file_table(hub, folder):
    path = write_lines(folder, "words/vocabulary.txt", ["a", "b", "c"])

    def module_fn():
        x = placeholder(tf.string, [None])
        rows = _file_table(path).lookup(x)
        table = variable("embeddings", [4, 2])
        outputs = {"default": tf.nn.embedding_lookup(table, rows + 1), "rows": rows}
        hub.add_signature(inputs=x, outputs=outputs)

    return module_fn


@case(Call({"default": WORDS}))
def key_value_table(hub, folder):
    def module_fn():
        x = placeholder(tf.string, [None])
        keys = tf.lookup.KeyValueTensorInitializer(["a", "b"], [10.0, 20.0])
        hub.add_signature(inputs=x, outputs=tf.lookup.StaticHashTable(keys, -1.0).lookup(x))

    return module_fn


@case(Call({"default": WORDS}))
def vocabulary_table(hub, folder):
    path = write_lines(folder, "v.txt", ["a", "b", "c"])

    def module_fn():
        x = placeholder(tf.string, [None])
        initializer = tf.lookup.TextFileInitializer(
            path,
            tf.string,
            tf.lookup.TextFileIndex.WHOLE_LINE,
            tf.int64,
            tf.lookup.TextFileIndex.LINE_NUMBER,
        )
        table = tf.lookup.StaticVocabularyTable(initializer, 2)
        hashed = tf.strings.to_hash_bucket_fast(x, 5)
        hub.add_signature(inputs=x, outputs={"default": table.lookup(x), "hashed": hashed})

    return module_fn


@case(Call({"default": WORDS}))
def same_base_names(hub, folder):
    one = write_lines(folder, "one/v.txt", ["a", "b", "c"])
    two = write_lines(folder, "two/v.txt", ["zzz", "a"])

    def module_fn():
        x = placeholder(tf.string, [None])
        outputs = {
            "default": _file_table(one).lookup(x),
            "two": _file_table(two).lookup(x),
            "again": _file_table(one).lookup(x),
        }
        hub.add_signature(inputs=x, outputs=outputs)

    return module_fn


@case(Call({}), Call({}, "content"))
def asset_content(hub, folder):
    file = write_lines(folder, "data.txt", ["some content"])

    def module_fn():
        path = tf.constant(file)
        tf1.add_to_collection(tf1.GraphKeys.ASSET_FILEPATHS, path)
        end = tf.strings.regex_replace(path, ".*/", "")
        hub.add_signature(outputs=end)
        hub.add_signature("content", outputs=tf.io.read_file(path))

    return module_fn


# --- graphs ----------------------------------------------------------------------------------


def _loops(hub: Any, v2: bool) -> Callable[[], None]:
    def module_fn():
        with control_flow(v2):
            x = placeholder()
            w = variable("w", [3])
            n = placeholder(tf.int32, [], "n")
            loop = tf.while_loop(
                lambda i, y: i < n,
                lambda i, y: (
                    i + 1,
                    tf.cond(tf.equal(i % 2, 0), lambda: y * w, lambda: y + w),
                ),
                [0, x],
            )[1]
            cond = tf.cond(n > 2, lambda: x * w, lambda: x - w)
            mapped = tf.map_fn(lambda row: row * w + tf.cast(n, tf.float32), x)
        outputs = {"default": loop, "cond": cond, "mapped": mapped}
        hub.add_signature(inputs={"x": x, "n": n}, outputs=outputs)

    return module_fn


_LOOP_CALLS = (Call({"x": X23, "n": np.int32(3)}), Call({"x": X23, "n": np.int32(0)}))


@case(*_LOOP_CALLS)
def control_flow_v1(hub, folder):
    return _loops(hub, v2=False)


@case(*_LOOP_CALLS)
def control_flow_v2(hub, folder):
    return _loops(hub, v2=True)


@case(Call({"default": X23}))
def functions(hub, folder):
    def module_fn():
        x = placeholder()
        w = variable("w", [3])

        @tf.function
        def double(value):
            return 2 * value

        @tf.function
        def work(value):
            return double(value) + double(value + 1)

        wrapped = tf1.wrap_function(lambda value: value + 3, [tf.TensorSpec([None, 3])])
        hub.add_signature(inputs=x, outputs={"default": work(x) * w, "wrapped": wrapped(x)})

    return module_fn


@case(Call({"default": X23}))
def placed(hub, folder):
    def module_fn():
        x = placeholder()
        with tf.device("/cpu:0"):
            w = variable("w", [3])
        ref = variable("ref", [3], use_resource=False)
        with tf1.colocate_with(w):
            y = x * w
        with tf1.colocate_with(ref):
            z = y + ref
        with tf.control_dependencies([y, z]):
            y = tf.identity(y)
        hub.add_signature(inputs=x, outputs={"default": y, "z": z})

    return module_fn


@case(Call({"default": X23}), Call({"default": X23}, tags=TRAIN), variants=BOTH_VARIANTS)
def batch_norm(hub, folder):
    """With moving averages of the inputs, a regularization loss, and a model variable."""

    def module_fn(is_training=False):
        x = placeholder()
        w = variable("w", [3, 3], regularizer=lambda value: 0.5 * tf.reduce_sum(value * value))
        average = variable(
            "average",
            [3],
            trainable=False,
            collections=[tf1.GraphKeys.GLOBAL_VARIABLES, tf1.GraphKeys.MODEL_VARIABLES],
        )
        mean = average
        if is_training:
            mean = tf.reduce_mean(x, 0)
            update = tf1.assign(average, 0.9 * average + 0.1 * mean)
            tf1.add_to_collection(tf1.GraphKeys.UPDATE_OPS, update)
        hub.add_signature(inputs=x, outputs=tf.matmul(x - mean, w))

    return module_fn


GENERATOR, DISCRIMINATOR = frozenset(), frozenset({"disc"})


@case(
    Call({"default": X23}),
    variants=((GENERATOR, {"name": "gen"}), (DISCRIMINATOR, {"name": "disc"})),
)
def different_variables(hub, folder):
    """Two networks with something in common; an export has the values of the first alone."""

    def module_fn(name):
        x = placeholder()
        shared = variable("shared", [3])
        own = variable(f"{name}/w", [3, 2], initializer=numbers([3, 2], start=len(name)))
        hub.add_signature(inputs=x, outputs=tf.matmul(x * shared, own))

    return module_fn


@case(
    *(Call({"default": X23}, tags=frozenset({f"variant_{i}", "on"})) for i in range(9)),
    Call({"default": X23}),
    variants=((frozenset(), {"factor": 100}),)
    + tuple((frozenset({f"variant_{i}", "on"}), {"factor": i}) for i in range(9)),
)
def many_variants(hub, folder):
    def module_fn(factor):
        x = placeholder()
        hub.add_signature(inputs=x, outputs=x * variable("w", [3]) * float(factor))

    return module_fn


@case(Call({"default": WORDS}))
def nested(hub, folder):
    """A module with a table inside of a module inside of a module."""
    inner_spec = define(hub, "file_table", os.path.join(folder, "inner"))
    inner_path = export(hub, inner_spec, os.path.join(folder, "inner_module"))

    def middle_fn():
        x = placeholder(tf.string, [None])
        inner = hub.Module(inner_path, name="inner", trainable=True)
        hub.add_signature(inputs=x, outputs=inner(x) * variable("w", [2]))

    middle_path = export(
        hub, hub.create_module_spec(middle_fn), os.path.join(folder, "middle_module")
    )

    def module_fn():
        x = placeholder(tf.string, [None])
        middle = hub.Module(middle_path, name="middle", trainable=True)
        again = hub.Module(inner_path, name="inner")
        hub.add_signature(inputs=x, outputs=tf.concat([middle(x), again(x), middle(x)], 1))

    return module_fn
