"""What of a signature training does not change, and where to cut it off: the border."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from hub_estimator import compat
from hub_estimator.format import collections
from hub_estimator.format.nodes import Edge, node_of, reached, tensor_of
from hub_estimator.format.tensor_infos import component_names
from hub_estimator.format.variant import Variant
from hub_estimator.graph.importing.parts import comes_from
from hub_estimator.graph.importing.reading import HARMLESS, READING
from hub_estimator.graph.instance.apply import losses_of
from hub_estimator.graph.instance.min_cut import END, START, Network
from hub_estimator.graph.instance.plan import Trainable, trainable_names

_CONTROL_FLOW = frozenset({"Enter", "Merge", "NextIteration", "RefEnter", "RefSwitch", "Switch"})
# What costs about as much as the values that it gives are long. All else is worth being spared.
_LIGHT = (READING - {"LookupTableFindV2"}) | frozenset(
    {
        *("Abs", "Add", "AddN", "AddV2", "All", "Any", "ArgMax", "ArgMin", "Assert", "BiasAdd"),
        *("BroadcastArgs", "BroadcastTo", "Cast", "Ceil", "ConcatV2", "Const", "Cumsum"),
        *("DenseBincount", "Div", "DivNoNan", "EnsureShape", "Equal", "Erf", "Erfc", "Exp"),
        "ExpandDims",
        *("Fill", "Floor", "FloorDiv", "FloorMod", "Gather", "GatherNd", "GatherV2", "Greater"),
        *("GreaterEqual", "Identity", "IdentityN", "InvertPermutation", "IsFinite", "L2Loss"),
        *("Less", "LessEqual", "Log", "LogicalAnd", "LogicalNot", "LogicalOr", "Max", "Maximum"),
        *("Mean", "Min", "Minimum", "Mul", "MulNoNan", "Neg", "NoOp", "NotEqual", "OneHot"),
        *("OnesLike", "Pack", "Pad", "PadV2", "Placeholder", "PlaceholderWithDefault", "Pow"),
        *("PreventGradient", "Prod", "RaggedTensorToSparse", "RaggedTensorToTensor", "Range"),
        *("Rank", "RealDiv", "Reciprocal", "Relu", "Relu6", "Reshape", "Round", "Rsqrt"),
        *("Select", "SelectV2", "Shape", "ShapeN", "Sigmoid", "Sign", "Size", "Slice", "Snapshot"),
        *("Softmax", "SparseFillEmptyRows", "SparseReshape", "SparseToDense", "Split", "SplitV"),
        *("Sqrt", "Square", "SquaredDifference", "Squeeze", "StopGradient", "StridedSlice", "Sub"),
        *("StringToHashBucketFast", "Sum", "Tanh", "Tile", "Transpose", "Unique", "Unpack"),
        *("VarHandleOp", "VariableV2", "Where", "ZerosLike"),
    }
)  # fmt: skip
_SCALE = 16
"""How much a byte costs that is stored; less than one is the price of each tensor and operation."""
_HEAVY = 1 << 40
"""What it costs to do again what is worth being spared; more than any bytes."""
_IMPOSSIBLE = 1 << 60
_NOTHING = "nothing that costs much comes before what is trained"
_NOT_STORABLE = "what costs much before what is trained cannot be stored for each example"
_CHANCE = (
    "chance (as in dropout) comes before what is trained; Encoder.tags can choose a graph variant "
    "without it, [] that for inference"
)


class NoBorderError(Exception):
    """Nothing of a signature can be computed once for each example; the message says why."""


@dataclasses.dataclass(frozen=True)
class LowerPart:
    """The nodes between a signature's inputs and all that training has an effect on.

    Attributes:
      tensors: the tensors among them that something uses, those of the inputs too (`node:0`).
      variables: the node names of the variables that they read.
      uses: for each of the tensors the nodes of this part that use it; `END` is all else.
      waits: for each node of this part those that wait for it without using it; `END` as before.
      operations: the operation of each node.
      inputs: the names of the nodes that are the inputs.
    """

    tensors: tuple[str, ...]
    variables: frozenset[str]
    uses: Mapping[str, Collection[str]]
    waits: Mapping[str, Collection[str]]
    operations: Mapping[str, str]
    inputs: frozenset[str]

    def border(self, sizes: Mapping[str, float]) -> tuple[str, ...]:
        """Returns the tensors to store: they spare what is costly, and are the smallest that do.

        Args:
          sizes: how many bytes of each tensor an example has; without those that cannot be stored.

        Raises:
          NoBorderError: there are none.
        """
        side = self._network(sizes).cut(_IMPOSSIBLE) or set()
        if not any(name in side and self._is_heavy(name) for name in self.operations):
            raise NoBorderError(_NOT_STORABLE)
        return tuple(
            name
            for name in self.tensors
            if node_of(name) in side and not side.issuperset(self.uses[name])
        )

    @property
    def has_heavy(self) -> bool:
        """Whether anything costly is in it."""
        return any(map(self._is_heavy, self.operations))

    def reads(self, variable: str) -> bool:
        """Whether it reads a variable, given its node name in any graph that the module is in."""
        return any(variable.endswith(f"/{own}") for own in self.variables)

    def _network(self, sizes: Mapping[str, float]) -> Network:
        network = Network()
        given: dict[str, float] = dict.fromkeys(self.operations, 0.0)
        for tensor in self.tensors:
            name, there = node_of(tensor), tensor in sizes
            size = round(_SCALE * sizes[tensor]) + 1 if there else _IMPOSSIBLE
            given[name] += sizes.get(tensor, 0)
            network.add(name, tensor, size)
            for user in self.uses[tensor]:
                network.add(tensor, user, _IMPOSSIBLE)
        for name in self.operations:
            again = _HEAVY if self._is_heavy(name) else 1 + round(given[name])
            network.add(START, name, _IMPOSSIBLE if name in self.inputs else again)
            for waiting in self.waits[name]:
                network.add(name, waiting, _IMPOSSIBLE)
        return network

    def _is_heavy(self, name: str) -> bool:
        return self.operations[name] not in _LIGHT and name not in self.inputs


def lower_part(
    variant: Variant, trained: Variant, trainable: Trainable, signature: str, output: str
) -> LowerPart:
    """Returns what of a signature follows from its inputs, and from nothing that changes.

    What is random, or has another state of its own, is not in it, nor what depends on that.

    Args:
      variant: the variant.
      trained: the variant that is trained, of the same module.
      trainable: what of it is trained.
      signature: the signature's name.
      output: the name of the output that is wanted.

    Raises:
      NoBorderError: nothing of it can be computed beforehand.
    """
    if any(
        collections.node_names(each.meta_graph, collections.UPDATE_OPS)
        for each in (variant, trained)
    ):
        raise NoBorderError("it has update operations, which see each batch")
    changed = trainable_names(variant, trainable) | trainable_names(trained, trainable)
    signature_def = variant.meta_graph.signature_def[signature]
    inputs = {name for info in signature_def.inputs.values() for name in component_names(info)}
    losses = losses_of(variant, inputs)
    roots = {*component_names(signature_def.outputs[output]), *losses}
    found = _Dependencies(variant, {*map(node_of, roots)}, inputs)
    if any(variant.nodes[name].op in _CONTROL_FLOW for name in found.needed):
        raise NoBorderError("it has branches or loops of TF1")
    chance = found.stateful()
    above_trained = found.users(lambda name, edge: name in changed)
    above = above_trained | found.users_of(chance)
    part = found.part(above, roots)
    if any(node_of(loss) in part.operations for loss in losses):
        raise NoBorderError("a regularization loss follows from its inputs alone")
    if not part.has_heavy:
        raise NoBorderError(_NOTHING if chance <= above_trained else _CHANCE)
    return part


class _Dependencies:
    """What some nodes of a variant need, between the inputs of a signature and them.

    Args:
      variant: the variant.
      roots: the names of the nodes.
      inputs: the names of the tensors of the inputs.

    Attributes:
      needed: the names of the nodes that are needed, without those of state and of the inputs.
    """

    def __init__(self, variant: Variant, roots: set[str], inputs: set[str]) -> None:
        self._variant, self._inputs = variant, inputs
        state = variant.instance_nodes
        given = frozenset([*inputs, *(f"{name}:0" for name in state)])
        makers = {*map(node_of, inputs), *state}
        self.needed = variant.nodes.ancestors(roots - makers, comes_from(given)) - makers
        self._users: dict[str, list[tuple[str, Edge]]] = {}
        for name in variant.nodes.by_name:  # in one order
            for edge in variant.nodes.inputs[name] if name in self.needed else ():
                self._users.setdefault(node_of(edge), []).append((name, edge))

    def stateful(self) -> set[str]:
        """Returns the nodes that give something else each time, or change something."""
        functions = {
            function.signature.name
            for function in self._variant.meta_graph.graph_def.library.function
        }
        return {name for name in self.needed if self._is_stateful(name, functions)}

    def _is_stateful(self, name: str, functions: Collection[str]) -> bool:
        operation = self._variant.nodes[name].op
        if operation in functions:  # a call that does not say what is in it
            return True
        return compat.is_stateful(operation) and operation not in HARMLESS

    def users_of(self, names: Iterable[str]) -> set[str]:
        """Returns nodes, and all that depend on them in any way."""
        return reached(names, lambda name: [user for user, _ in self._users.get(name, ())])

    def users(self, is_source: Any) -> set[str]:
        """Returns the nodes that depend on sources in any way.

        Args:
          is_source: tells of the name of a node, and of the edge from it, whether it is one.
        """
        return self.users_of(
            user
            for name, users in self._users.items()
            for user, edge in users
            if is_source(name, edge)
        )

    def part(self, above: set[str], roots: set[str]) -> LowerPart:
        """Returns the part that depends on the inputs, without the nodes `above`."""
        nodes = self._variant.nodes
        of_inputs = {*map(node_of, self._inputs)}
        below = self.users(lambda name, edge: tensor_of(edge) in self._inputs) - above
        # A node that waits for the maker of an input uses nothing of it.
        inside = [name for name in nodes.by_name if name in below or name in of_inputs]
        uses: dict[str, list[str]] = {}
        waits: dict[str, list[str]] = {name: [] for name in inside}
        for name in inside:
            for user, edge in self._users.get(name, ()):
                there = user if user in below else END
                if not edge.startswith("^"):
                    uses.setdefault(tensor_of(edge), []).append(there)
                elif name not in of_inputs:
                    waits[name].append(there)
        for root in sorted(roots):
            if node_of(root) in waits:
                uses.setdefault(root, []).append(END)
        read = {node_of(edge) for name in self._ancestors(below) for edge in nodes.inputs[name]}
        return LowerPart(
            tensors=tuple(uses),
            variables=frozenset(
                entry.op_name for entry in self._variant.variables if entry.op_name in read
            ),
            uses=uses,
            waits=waits,
            operations={name: nodes[name].op for name in inside},
            inputs=frozenset(of_inputs & set(inside)),
        )

    def _ancestors(self, below: set[str]) -> set[str]:
        return self.needed & self._variant.nodes.ancestors(
            below, lambda edge: node_of(edge) not in self.needed
        )
