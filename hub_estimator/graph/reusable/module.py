"""`ReusableModule`: a TF1 Hub module at work in eager mode, and in functions of TensorFlow 2."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import tensorflow as tf

from hub_estimator import compat, errors
from hub_estimator.format.spec import ModuleSpec
from hub_estimator.format.variant import DEFAULT, TRAIN_TAGS, Variant, inside_sentence
from hub_estimator.graph.instance import replicas
from hub_estimator.graph.instance.plan import Trainable, choose_training, state_losses
from hub_estimator.graph.instance.values import convert_by_name
from hub_estimator.graph.reusable.application import Application
from hub_estimator.graph.reusable.eager_state import EagerState
from hub_estimator.graph.reusable.holdings import CreateVariable, Holdings, create_variable


@dataclasses.dataclass(frozen=True)
class Computed:
    """What a call of a module gives.

    Attributes:
      outputs: all outputs by name.
      losses: the regularization losses that depend on its inputs; the module has the others.
    """

    outputs: dict[str, Any]
    losses: list[tf.Tensor]


class ReusableModule(tf.Module):
    """A TF1 Hub module as one eager object with the interface of reusable SavedModels.

        m = ReusableModule(spec, trainable=True)
        with tf.GradientTape() as tape:
            loss = loss_of(m(sentences, training=True))
            loss += sum(loss() for loss in m.regularization_losses)
        gradients = tape.gradient(loss, m.trainable_variables)

    Its variables, tables and assets are made at once, outside of all graphs; there is no session. It
    is called eagerly or in functions, also in those of a strategy's replicas, where it was made in the
    strategy's scope. A Keras layer, `tf.train.Checkpoint` and `tf.saved_model.save` find what it
    holds when it is an attribute of theirs.

    Args:
      spec: the module.
      trainable: whether the variables are trained, as `hub.Module` has it: False, True, or a regular
        expression that chooses among those that the publisher made trainable.
      tags: the tags of the graph variant. None is the variant for inference, with the variant of
        the tags `{"train"}`, where there is one, for calls with `training=True` of a module that is
        trained.
      more_tags: the tags of further variants that `compute` is asked for. Variables that only they
        have are not trained.
      create: makes each variable: `create(entry, initial_value, is_trained)`; see
        `hub_estimator.graph.reusable.holdings.create_variable`.

    Raises:
      errors.TagsNotFoundError: the module has no variant with these tags.
      errors.ValuesNotFoundError: the module has no values for variables of a variant.
      errors.NoTrainableVariablesError: the regular expression finds no variable.
      errors.GraphModeError: TensorFlow does not execute eagerly.
    """

    def __init__(
        self,
        spec: ModuleSpec,
        trainable: Trainable = False,
        tags: Iterable[str] | None = None,
        more_tags: Iterable[frozenset[str]] = (),
        create: CreateVariable = create_variable,
    ) -> None:
        super().__init__(name="reusable_module")
        self._made = _Made(spec, create)
        self._made.build(trainable, spec.variant(tags), tags is None, more_tags)
        self._by_name = {
            name: held.variable for name, held in self._made.holdings.variables.items()
        }
        self._others = dict(self._made.holdings.others)

    @property
    def spec(self) -> ModuleSpec:
        """What it was made of."""
        return self._made.spec

    @property
    def variables(self) -> tuple[tf.Variable, ...]:
        """The variables, sorted by their names in the module."""
        return tuple(self.variables_by_name.values())

    @property
    def variables_by_name(self) -> dict[str, tf.Variable]:
        """The variables by their names in the module, sorted; parts of partitioned ones are alone."""
        return {name: self._by_name[name] for name in sorted(self._by_name)}

    @property
    def trainable_variables(self) -> tuple[tf.Variable, ...]:
        """The variables that are trained, sorted by their names in the module."""
        held = self._made.holdings.variables
        return tuple(held[name].variable for name in sorted(held) if held[name].is_trained)

    @property
    def regularization_losses(self) -> list[RegularizationLoss]:
        """The regularization losses of what is trained, as functions without arguments."""
        return list(self._made.losses)

    @property
    def signatures(self) -> dict[str, Callable[..., dict[str, Any]]]:
        """The signatures by name: functions of inputs that give all outputs by name."""
        names = self.spec.get_signature_names(self._made.serving.variant.tags)
        return {name: functools.partial(self._outputs, signature=name) for name in names}

    def __call__(self, inputs: Any = None, training: bool | None = False) -> Any:
        """Computes the signature `"default"`.

        Args:
          inputs: the value of its one input, or a dict of values by input name, or None where it
            has no inputs.
          training: whether to compute what training needs and run the update operations, once;
            nothing else than without where nothing is trained.

        Returns:
          The output `"default"` where there is one, or all by name. They are there after the updates.

        Raises:
          errors.SignatureNotFoundError: there is no such signature.
          errors.InputError: the inputs do not fit.
          LookupError: a tape wants gradients through branches or loops of TF1; or the tape raises it.
        """
        outputs = self.compute(inputs, training=training).outputs
        return outputs.get(DEFAULT, outputs)

    def compute(
        self,
        inputs: Any = None,
        signature: str | None = None,
        training: bool | None = False,
        tags: frozenset[str] | None = None,
    ) -> Computed:
        """Computes a signature; see `__call__`.

        Args:
          inputs: a dict from the names of the signature's inputs to values, or one value where it
            has one input, or None where it has none.
          signature: the signature's name; None is `"default"`.
          training: whether to train; where the variant for training lacks the signature, it is computed
            as without.
          tags: the tags of another variant that it has, which is computed without training.
        """
        return self._made.compute(inputs, signature or DEFAULT, bool(training), tags)

    def _outputs(self, inputs: Any = None, *, signature: str) -> dict[str, Any]:
        return self.compute(inputs, signature).outputs


class _Made:
    """What a module is made of. Not what TensorFlow looks into for objects to save.

    Args:
      spec: the module.
      create: makes its variables.
    """

    serving: EagerState
    training: EagerState
    losses: list[RegularizationLoss]

    def __init__(self, spec: ModuleSpec, create: CreateVariable) -> None:
        self.spec = spec
        self.holdings = Holdings(spec, create)
        self._states: dict[frozenset[str], EagerState] = {}
        self._functions: dict[Any, Any] = {}

    def build(
        self,
        trainable: Trainable,
        serving: Variant,
        has_train_variant: bool,
        more_tags: Iterable[frozenset[str]],
    ) -> None:
        """Makes variables, tables and assets.

        Args:
          trainable: what is trained.
          serving: the variant that is computed.
          has_train_variant: whether the one of `TRAIN_TAGS` is for training, if there is one.
          more_tags: the tags of further variants.
        """
        base = serving
        if trainable and has_train_variant and TRAIN_TAGS in self.spec.get_tags():
            base = self.spec.variant(TRAIN_TAGS)
        chosen = choose_training(base, trainable)
        variants = {variant.tags: variant for variant in (base, serving)}
        others = {tags: self.spec.variant(tags) for tags in more_tags if tags not in variants}
        for tags in [*variants, *others]:
            self.spec.check_values(tags)
        with tf.init_scope():
            self._check_eager()
            # Names as in the module, wherever it is made.
            with tf.compat.v1.name_scope(None):
                for tags, variant in variants.items():
                    self._states[tags] = self.holdings.add(variant, trainable)
                for tags, variant in others.items():
                    self._states[tags] = self.holdings.add(variant, False)
        self.serving = self.training = self._states[serving.tags]
        if chosen is not None:
            self.training = self.holdings.trained(self._states[base.tags], chosen.is_whole)
        losses = state_losses(self.training.variant, self.training.training)
        self.losses = [RegularizationLoss(self.training, name) for name in losses]

    def _check_eager(self) -> None:
        if not tf.executing_eagerly():
            raise errors.GraphModeError(
                f"{self.spec.source} is made for eager execution here, but TensorFlow builds a "
                "graph. In a graph, use hub.Module."
            )

    def compute(
        self, inputs: Any, signature: str, is_training: bool, tags: frozenset[str] | None
    ) -> Computed:
        """Computes a signature; see `ReusableModule.compute`."""
        state = self.serving
        if tags is not None:
            state = self._states[tags]
        elif is_training and signature in self.training.variant.signatures:
            state = self.training
        source = self.spec.source
        signature_def = state.variant.signature(signature, source)
        what = f"The signature {signature!r} of {inside_sentence(source)}"
        given = convert_by_name(signature_def, inputs, what)
        tensors = tf.nest.flatten(given, expand_composites=True)
        watched = compat.is_watched(tensors)
        key = (state.variant.tags, state.training, signature, watched, replicas.index())
        if key not in self._functions:
            self._functions[key] = _signature_function(
                Application(state, signature, what, differentiates_inputs=watched)
            )
        outputs, losses = self._functions[key](given)
        return Computed(outputs, losses)


def _signature_function(
    application: Application,
) -> Callable[[Mapping[str, Any]], tuple[dict[str, Any], list[tf.Tensor]]]:
    # Not part of a caller's graph: tapes do not see operations that are imported, but calls.
    @functools.partial(tf.function, autograph=False, input_signature=[application.input_specs])
    def call(given: Mapping[str, Any]) -> Any:
        applied = application.add(given)
        return applied.after_updates((applied.outputs, applied.losses))

    # TensorFlow warns of functions of one name that are traced often, as those of modules are.
    return call.get_concrete_function()


class RegularizationLoss:
    """A regularization loss that needs no input, as a function without arguments.

    Args:
      state: the state that it is of.
      name: the name of its tensor.
    """

    def __init__(self, state: EagerState, name: str) -> None:
        self._state, self._name = state, name
        self._functions: dict[int, Any] = {}

    def __call__(self) -> tf.Tensor:
        """Returns the loss, a number."""
        return self.function()()

    def function(self) -> Any:
        """Returns the concrete function of the current replica."""
        replica = replicas.index()
        if replica not in self._functions:
            function = tf.function(self._add, autograph=False, input_signature=[])
            self._functions[replica] = function.get_concrete_function()
        return self._functions[replica]

    def _add(self) -> tf.Tensor:
        return self._state.add([self._name], "regularization_loss/")[0]
