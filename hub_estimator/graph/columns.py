"""Feature columns that embed a feature with a module: for canned Estimators and `input_layer`."""

from __future__ import annotations

import dataclasses
import functools
import logging
from typing import Any

import tensorflow as tf

from hub_estimator import compat, errors, files
from hub_estimator.format.image_inputs import IMAGES
from hub_estimator.format.origin import find
from hub_estimator.format.spec import ModuleSpec
from hub_estimator.format.variant import DEFAULT, quoted
from hub_estimator.graph.images import get_expected_image_size, get_num_image_channels
from hub_estimator.graph.instance import replicas
from hub_estimator.graph.instance.plan import Trainable
from hub_estimator.graph.loaded_saved_model import LoadedSavedModel
from hub_estimator.graph.module import Module, Spec, as_module_spec
from hub_estimator.graph.registration import register_module_for_export, registered_modules

_logger = logging.getLogger("hub_estimator")

# Not a string: TensorFlow then leaves the collection out of saved graphs, where it cannot be.
_EXPORTED: Any = ("hub_estimator", "columns for export")

_COMBINERS = {
    "mean": tf.math.unsorted_segment_mean,
    "sqrtn": tf.math.unsorted_segment_sqrt_n,
    "sum": tf.math.unsorted_segment_sum,
}


def text_embedding_column(
    key: Any, module_spec: Spec, trainable: Trainable = False, *, export_name: str | None = None
) -> tf.feature_column.FeatureColumn:
    """A dense column that embeds one text per example with a module.

    Args:
      key: the name of a string feature `[B]` or `[B, 1]`, or the column that gives it.
      module_spec: a `ModuleSpec`, or a handle. Its default signature takes strings `[B]` and has a
        float32 output `"default"` `[B, D]`.
      trainable: whether the module is trained with the model; a regular expression chooses the
        variables, see `Module`.
      export_name: the name under which exporters such as `LatestModuleExporter` export the module;
        None does not export it. Where one column is used twice, as in both parts of a combined
        Estimator, each use has variables of its own, and the first one's are exported.

    Returns:
      The column; its dense tensor is float32 `[B, D]`.

    Raises:
      errors.ColumnError: the module does not embed texts.
      errors.InvalidPathNameError: `export_name` cannot be the name of a folder.
      OSError: there is no module under the handle.
    """
    column = _TextColumn(key, _path_or_spec(module_spec), trainable, export_name)
    _check_text_module(column.module_spec)
    return column


def sparse_text_embedding_column(
    key: Any,
    module_spec: Spec,
    combiner: str,
    default_value: str | None,
    trainable: Trainable = False,
    *,
    export_name: str | None = None,
) -> tf.feature_column.FeatureColumn:
    """A dense column that embeds any number of texts per example, and combines their embeddings.

    Args:
      key: the name of a sparse string feature `[B, T]` (in a dense one, empty strings are left
        out), or the column that gives it.
      module_spec: a `ModuleSpec`, or a handle; see `text_embedding_column`.
      combiner: `"sum"`, `"mean"`, or `"sqrtn"`: the sum divided by the square root of the number.
      default_value: what stands for the texts of an example that has none; None gives zeros.
      trainable: whether the module is trained with the model; see `text_embedding_column`.
      export_name: the name under which the module is exported; see `text_embedding_column`.

    Returns:
      The column; its dense tensor is float32 `[B, D]`.

    Raises:
      errors.ColumnError: the module does not embed texts, or the combiner is unknown.
      errors.InvalidPathNameError: `export_name` cannot be the name of a folder.
      OSError: there is no module under the handle.
    """
    if combiner not in _COMBINERS:
        raise errors.ColumnError(f"combiner is {combiner!r}; it must be 'mean', 'sqrtn' or 'sum'.")
    column = _SparseTextColumn(
        key, _path_or_spec(module_spec), trainable, export_name, combiner, default_value
    )
    _check_text_module(column.module_spec)
    return column


def image_embedding_column(
    key: Any,
    module_spec: Spec,
    image_size: tuple[int, int] | None = None,
    trainable: Trainable = False,
    *,
    export_name: str | None = None,
) -> tf.feature_column.FeatureColumn:
    """A dense column that embeds one image per example with a module.

    Args:
      key: the name of a float32 feature `[B, H, W, C]` with values in `[0, 1]`, or the column that
        gives it.
      module_spec: a `ModuleSpec`, or a handle. Its default signature takes `"images"` and has a
        float32 output `"default"` `[B, D]`.
      image_size: height and width in pixels, for modules that take several; None is the size that
        the module expects.
      trainable: whether the module is trained with the model; see `text_embedding_column`.
      export_name: the name under which the module is exported; see `text_embedding_column`.

    Returns:
      The column; its dense tensor is float32 `[B, D]`.

    Raises:
      errors.ColumnError: the module does not embed images.
      errors.InvalidPathNameError: `export_name` cannot be the name of a folder.
      OSError: there is no module under the handle.
    """
    size = None if image_size is None else tuple(image_size)
    column = _ImageColumn(key, _path_or_spec(module_spec), trainable, export_name, size)
    _check_image_module(column.module_spec, needs_size=size is None)
    return column


def text_embedding_column_v2(
    key: Any, module_path: files.PathLike, output_key: str | None = None, trainable: bool = False
) -> tf.feature_column.FeatureColumn:
    """A dense column that embeds one text per example with a TF2 SavedModel.

    Args:
      key: the name of a string feature `[B]` or `[B, 1]`, or the column that gives it.
      module_path: the handle of a SavedModel that is called with strings `[B]`, or of a TF1 Hub
        module, which is not trained.
      output_key: which output to take where the call returns a dict.
      trainable: whether the SavedModel is trained with the model.

    Returns:
      The column; its dense tensor is float32 `[B, D]`.

    Raises:
      errors.ColumnError: when the column is used: the SavedModel does not embed texts, or cannot be
        trained.
      OSError: when the column is used: there is no SavedModel under the handle.
    """
    return _SavedModelTextColumn(key, files.as_path(module_path), output_key, trainable)


def _check_text_module(spec: ModuleSpec) -> None:
    """Checks that a module's default signature turns strings `[B]` into float32 `[B, D]`.

    Raises:
      errors.ColumnError: it does not.
    """
    inputs = spec.get_input_info_dict()
    infos = list(inputs.values())
    fits = len(infos) == 1 and infos[0].type_spec == tf.TensorSpec([None], tf.string)
    issues = [] if fits else [f"it takes {inputs}, not one dense string input [None]"]
    _raise_issues(spec, "embed texts", issues + _output_issues(spec))


def _check_image_module(spec: ModuleSpec, needs_size: bool) -> None:
    """Checks that a module's default signature turns images into float32 `[B, D]`.

    Args:
      spec: the module.
      needs_size: whether the module must tell the size of the images.

    Raises:
      errors.ColumnError: it does not.
    """
    inputs = spec.get_input_info_dict()
    issues = []
    if set(inputs) != {IMAGES} or inputs[IMAGES].dtype != tf.float32:
        issues.append(f"it takes {inputs}, not one float32 input {IMAGES!r}")
    elif needs_size:
        try:
            get_expected_image_size(spec)
        except errors.ImageInputError as error:
            issues.append(f"it does not tell the size of the images, so give image_size ({error})")
    _raise_issues(spec, "embed images", issues + _output_issues(spec))


def _output_issues(spec: ModuleSpec) -> list[str]:
    outputs = spec.get_output_info_dict()
    if DEFAULT not in outputs:
        return [f"it has the outputs {quoted(outputs)}, but none named {DEFAULT!r}"]
    output = outputs[DEFAULT]
    shape = output.get_shape()
    if output.dtype == tf.float32 and shape.rank == 2 and shape[1:].is_fully_defined():
        return []
    return [f"its output is {output.dtype.name} {shape}, not float32 [None, D] with a known D"]


def _raise_issues(spec: ModuleSpec, purpose: str, issues: list[str]) -> None:
    if issues:
        raise errors.ColumnError(
            f"{spec.source} cannot {purpose} in a feature column: {'; '.join(issues)}. Choose "
            "another module, or define one with such a default signature."
        )


def _path_or_spec(module_spec: Spec) -> ModuleSpec | str:
    return module_spec if isinstance(module_spec, ModuleSpec) else files.as_path(module_spec)


@dataclasses.dataclass(frozen=True)
class _Column(compat.DenseColumn):
    """What all columns here have."""

    key: Any

    @property
    def name(self) -> str:
        """The name of the column, which is that of its variable scope."""
        key = self.key if isinstance(self.key, str) else self.key.name
        return f"{key}_hub_module_embedding"

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        """How `tf.io.parse_example` reads the feature."""
        if isinstance(self.key, str):
            return {self.key: self.feature_spec()}
        return self.key.parse_example_spec

    def feature_spec(self) -> Any:
        """How `tf.io.parse_example` reads the feature where `key` is its name."""
        return tf.io.FixedLenFeature([1], tf.string)

    def get_config(self) -> dict[str, Any]:
        """Returns the column's arguments, for layers that are stored with them.

        Raises:
          errors.ColumnConfigError: the module was given as a `ModuleSpec`, which cannot be stored.
        """
        config = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        for value in config.values():
            if isinstance(value, ModuleSpec):
                raise errors.ColumnConfigError(
                    f"The column {self.name!r} was made of a ModuleSpec, which cannot be stored in "
                    "a configuration. Make it of the module's handle."
                )
        return config

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: Any = None, columns_by_name: Any = None
    ) -> _Column:
        """Returns the column of what `get_config` returned."""
        return cls(**config)


@dataclasses.dataclass(frozen=True)
class _ModuleColumn(_Column):
    """A column of a TF1 Hub module."""

    module_spec_path: ModuleSpec | str
    trainable: Trainable
    export_name: str | None

    def __post_init__(self) -> None:
        if self.export_name is not None:
            files.check_name("The export name", self.export_name)

    @functools.cached_property
    def module_spec(self) -> ModuleSpec:
        """The module's spec."""
        return as_module_spec(self.module_spec_path)

    @property
    def variable_shape(self) -> tf.TensorShape:
        """The shape of the dense tensor without the batch: `[D]`."""
        return self.module_spec.get_output_info_dict()[DEFAULT].get_shape()[1:]

    def make_state(self, trainable: bool) -> compat.ColumnState:
        """Makes the module in the current graph."""
        module = Module(self.module_spec, trainable=self.trainable if trainable else False)
        if self.export_name is not None:
            _register(self, self.export_name, module)
        trained = [variable for variable in module.variables if variable.trainable]
        return compat.ColumnState(module, module.variables, trained)


def _register(column: _ModuleColumn, export_name: str, module: Module) -> None:
    """Registers a column's module for export, once for all uses of the column in a graph."""
    if replicas.index():
        return  # the first replica of a strategy did
    graph = tf.compat.v1.get_default_graph()
    registered = dict(graph.get_collection(_EXPORTED)).get(export_name)
    if registered is None:
        register_module_for_export(module, export_name)
        graph.add_to_collection(_EXPORTED, (export_name, column))
    elif registered != column:
        raise errors.DuplicateNameError(
            f"Two feature columns are exported as {export_name!r}: {registered.name!r} and "
            f"{column.name!r}. Give each an export_name of its own."
        )
    elif module.trainable:
        _logger.warning(
            "The feature column %r is used twice, and each use has variables of its own: %r is "
            "exported as %r, and %r is not exported.",
            column.name,
            registered_modules()[export_name],
            export_name,
            module,
        )


@dataclasses.dataclass(frozen=True)
class _TextColumn(_ModuleColumn):
    def embed(self, feature: Any, state: compat.ColumnState) -> tf.Tensor:
        """Returns the embeddings of one text per example."""
        return state.value(tf.reshape(feature, [-1]))


@dataclasses.dataclass(frozen=True)
class _SparseTextColumn(_ModuleColumn):
    # As checkpoints have it that programs trained before.
    makes_state_when_called = True

    combiner: str
    default_value: str | None

    def feature_spec(self) -> Any:
        """How `tf.io.parse_example` reads the feature where `key` is its name."""
        return tf.io.VarLenFeature(tf.string)

    def embed(self, feature: Any, state: compat.ColumnState) -> tf.Tensor:
        """Returns the combined embeddings of all texts of each example."""
        texts = feature
        if not isinstance(texts, tf.SparseTensor):
            texts = tf.sparse.from_dense(texts)
        if self.default_value is not None:
            texts, _ = tf.sparse.fill_empty_rows(texts, self.default_value)
        embeddings = state.value(texts.values)
        return _COMBINERS[self.combiner](
            embeddings, texts.indices[:, 0], num_segments=texts.dense_shape[0]
        )


@dataclasses.dataclass(frozen=True)
class _ImageColumn(_ModuleColumn):
    image_size: tuple[int, ...] | None

    def feature_spec(self) -> Any:
        """How `tf.io.parse_example` reads the feature where `key` is its name."""
        height, width = self.image_size or get_expected_image_size(self.module_spec)
        channels = get_num_image_channels(self.module_spec)
        return tf.io.FixedLenFeature([height, width, channels], tf.float32)

    def embed(self, feature: Any, state: compat.ColumnState) -> tf.Tensor:
        """Returns the embeddings of one image per example."""
        return state.value({IMAGES: feature})


@dataclasses.dataclass(frozen=True)
class _SavedModelTextColumn(_Column):
    """A column of a TF2 SavedModel."""

    module_path: str
    output_key: str | None
    trainable: bool

    @functools.cached_property
    def variable_shape(self) -> tf.TensorShape:
        """The shape of the dense tensor without the batch: `[D]`."""
        with tf.Graph().as_default():
            texts = tf.compat.v1.placeholder(tf.string, [None])
            return self._call(LoadedSavedModel.load(find(self.module_path)), texts).shape[1:]

    def make_state(self, trainable: bool) -> compat.ColumnState:
        """Loads the SavedModel into the current graph."""
        model = LoadedSavedModel.load(find(self.module_path))
        if self.trainable and not (model.is_callable and model.trainable_variables is not None):
            raise errors.ColumnError(
                f"{self.module_path} cannot be trained in a column: it lacks `__call__` or "
                "`trainable_variables`. For a TF1 Hub module, use hub.text_embedding_column; for "
                "other SavedModels, pass trainable=False."
            )
        trained = model.collect_trained() if self.trainable and trainable else []
        # Layers keep variables under their places in the object itself.
        variables = trained if model.variables is None else model.variables
        return compat.ColumnState(model.loaded, variables, trained)

    def embed(self, feature: Any, state: compat.ColumnState) -> tf.Tensor:
        """Returns the embeddings of one text per example."""
        return self._call(LoadedSavedModel(state.value), tf.reshape(feature, [-1]))

    def _call(self, model: LoadedSavedModel, texts: tf.Tensor) -> tf.Tensor:
        if DEFAULT not in model.signature_names:
            raise errors.ColumnError(
                f"{self.module_path} cannot be called. Give a SavedModel with a function "
                "`__call__` that takes strings [B]."
            )
        outputs = model(texts)
        output = outputs.get(self.output_key or DEFAULT)
        if not isinstance(output, tf.Tensor):
            raise errors.ColumnError(
                f"{self.module_path} returns {sorted(outputs)}, not one tensor. Choose one: "
                "output_key=..."
            )
        return output
