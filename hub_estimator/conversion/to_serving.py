"""A TF1 Hub module as a SavedModel for serving."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from hub_estimator import compat, errors, files, layout
from hub_estimator.conversion.placeholders import placeholder_of
from hub_estimator.format import collections
from hub_estimator.format.nodes import node_of
from hub_estimator.format.spec import ModuleSpec
from hub_estimator.format.tensor_infos import component_names
from hub_estimator.format.variant import DEFAULT, inside_sentence
from hub_estimator.format.write import without_checkpoint_paths
from hub_estimator.graph.module import Module

_TAG = tf.saved_model.SERVING
_SERVING_DEFAULT = tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY


def servable_tags(spec: ModuleSpec) -> frozenset[str]:
    """Returns the tags of the graph variant that is served: that for inference, or the only one.

    Raises:
      errors.TagsNotFoundError: there are several, none of them for inference.
    """
    if spec.get_tags()[1:]:
        return spec.variant().tags
    return spec.get_tags()[0]


def check_servable(spec: ModuleSpec) -> None:
    """Checks that a module can be served.

    Raises:
      errors.TagsNotFoundError: see `servable_tags`.
      errors.ValuesNotFoundError: there are no values for the variables of the graph variant.
      errors.NotConvertibleError: a signature needs the path of a file itself.
    """
    variant = spec.variant(servable_tags(spec))
    spec.check_values(variant.tags)
    assets = collections.asset_files(variant.meta_graph)
    for name, signature in sorted(variant.signatures.items()):
        outputs = {
            node_of(tensor)
            for info in signature.outputs.values()
            for tensor in component_names(info)
        }
        needed = variant.nodes.ancestors(outputs, lambda edge: False)
        for tensor, file in sorted(assets.items()):
            if node_of(tensor) in needed:
                raise errors.NotConvertibleError(
                    f"The signature {name!r} of {inside_sentence(spec.source)} needs the path of "
                    f"{file!r} when it is called. A SavedModel for serving gives the paths of its files only "
                    "to what fills its tables. Convert the module to tf2."
                )


def write_servable(spec: ModuleSpec, folder: str) -> None:
    """Writes a module as a SavedModel with the tag `serve`.

    It takes and gives what the module's signatures do, under their names; the default one is
    `serving_default` too.

    Args:
      spec: the module, which has values for its variables.
      folder: an empty folder.
    """
    compat.silence_deprecations()  # of TF1's builder, which a graph of TF1 needs
    tags = servable_tags(spec)
    with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as session:
        module = Module(spec, tags=tags)
        signatures = {name: _signature(module, name) for name in module.get_signature_names()}
        default = DEFAULT if DEFAULT in signatures else next(iter(signatures))
        signatures.setdefault(_SERVING_DEFAULT, signatures[default])
        initialize = tf.compat.v1.tables_initializer()
        session.run(tf.compat.v1.global_variables_initializer())
        builder = tf.compat.v1.saved_model.Builder(folder)
        builder.add_meta_graph_and_variables(
            session,
            [_TAG],
            signatures,
            assets_collection=graph.get_collection(collections.ASSET_FILEPATHS),
            main_op=initialize,
            strip_default_attrs=True,
        )
        builder.save()
    _blank_paths(folder)


def _blank_paths(folder: str) -> None:
    """Removes from a SavedModel where the module was; it finds its files by their names."""
    path = files.join(folder, layout.SAVED_MODEL)
    saved_model = saved_model_pb2.SavedModel.FromString(files.read_bytes(path))
    [meta_graph] = saved_model.meta_graphs
    names = set(map(node_of, collections.listed_assets(meta_graph)))
    for node in meta_graph.graph_def.node:
        if node.name in names:
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(""))
    meta_graph.CopyFrom(without_checkpoint_paths(meta_graph))
    files.write_bytes(path, saved_model.SerializeToString(deterministic=True))


def _signature(module: Module, name: str) -> Any:
    inputs = {
        key: placeholder_of(info.type_spec, key)
        for key, info in module.get_input_info_dict(name).items()
    }
    outputs = module(inputs, signature=name, as_dict=True)
    infos = [
        {key: tf.compat.v1.saved_model.build_tensor_info(value) for key, value in values.items()}
        for values in (inputs, outputs)
    ]
    return tf.compat.v1.saved_model.build_signature_def(
        *infos, tf.compat.v1.saved_model.signature_constants.PREDICT_METHOD_NAME
    )
