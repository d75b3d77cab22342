"""What every kind of input must do: its test class inherits these tests and makes the input."""

from __future__ import annotations

import json
import types

import numpy as np
import pytest
import tensorflow as tf

from hub_estimator import errors
from hub_estimator.training import kept
from hub_estimator.training.example_spec import ExampleSpec
from hub_estimator.training.labels.one_class import OneClass

NUMBER, BATCH = 10, 4


def batches(dataset, number=99):
    """The first elements of a dataset, read in a session as an Estimator reads them."""
    iterator = tf.compat.v1.data.make_initializable_iterator(dataset)
    element = iterator.get_next()
    read = []
    with tf.compat.v1.Session() as session:
        session.run(iterator.initializer)
        for _ in range(number):
            try:
                read.append(session.run(element))
            except tf.errors.OutOfRangeError:
                break
    return read


def worker(index, count, replicas=1):
    return tf.distribute.InputContext(count, index, count * replicas)


def same(first, second) -> bool:
    pairs = zip(tf.nest.flatten(first), tf.nest.flatten(second), strict=True)
    return len(first) == len(second) and all(np.array_equal(a, b) for a, b in pairs)


class InputContract:
    """Ten examples, the label of example `n` being `n % 3`, in batches of four."""

    counted = True
    """Whether the input knows the number of its examples."""
    order = tuple(range(NUMBER))
    """The order of the examples in the data."""
    epochs_are_whole = True
    """Whether an epoch of several workers has each example once."""
    kept = "text"
    """What can be kept of the examples."""

    @pytest.fixture
    def source(self, tmp_path):
        """The input."""
        raise NotImplementedError

    @pytest.fixture
    def spec(self):
        """What the model takes."""
        return ExampleSpec({"text": tf.TensorSpec([None], tf.string)}, OneClass(3))

    def numbers(self, features) -> list[int]:
        """Which examples a batch of features is of."""
        return [int(each[1:]) for each in features["text"]]

    def kept_value(self, number) -> str:
        """What is kept of an example."""
        return f"x{number}"

    def train(self, source, spec, number, seed=3, step=0, **where):
        fn = source.training_fn(spec, seed=seed, start_step=lambda: step)
        return batches(fn(**where), number)

    def seen(self, read):
        return [each for features, _ in read for each in self.numbers(features)]

    def test_what_it_says_of_itself(self, source, spec):
        assert source.feature_names == sorted({*source.feature_names, *spec.features})
        assert source.num_examples == (NUMBER if self.counted else None)

    def test_the_check_leaves_nothing_in_the_default_graph(self, source, spec):
        source.check(spec)
        assert not tf.compat.v1.get_default_graph().get_operations()

    def test_batches_are_of_the_spec(self, source, spec):
        for fn in (source.training_fn(spec, 1, lambda: 0), source.evaluation_fn(spec)):
            features, labels = fn().element_spec
            assert set(features) == set(spec.features)
            for name, each in spec.features.items():
                assert features[name].dtype == each.dtype
                assert each.shape.is_compatible_with(features[name].shape)
            assert labels.dtype == spec.labels.dtype and labels.shape.as_list() == [None]

    def test_evaluation_sees_each_example_once_in_order(self, source, spec):
        read = batches(source.evaluation_fn(spec)())
        assert [len(labels) for _, labels in read] == [4, 4, 2]
        assert self.seen(read) == list(self.order)
        assert [each for _, labels in read for each in labels] == [n % 3 for n in self.order]

    def test_prediction_sees_the_features_of_evaluation(self, source, spec):
        read = batches(source.prediction_fn(spec)())
        assert same(read, [features for features, _ in batches(source.evaluation_fn(spec)())])

    def test_what_is_kept_is_of_the_example_beside_it(self, source, spec):
        for make in (source.evaluation_fn, source.prediction_fn):
            plain, read = batches(make(spec)()), batches(make(spec, keep=[self.kept])())
            found = []
            for batch in read:
                features = batch[0] if isinstance(batch, tuple) else batch
                found += map(json.loads, features.pop(kept.feature(self.kept)))
            assert found == list(map(self.kept_value, self.order))
            assert same(read, plain)

    def test_something_to_keep_that_is_not_there(self, source, spec):
        for make in (source.evaluation_fn, source.prediction_fn):
            with pytest.raises(
                errors.ColumnNotFoundError, match="'nothing'.*(have|has|only|names)"
            ):
                make(spec, keep=["nothing"])()

    def test_an_epoch_sees_each_example_once(self, source, spec):
        read = self.train(source, spec, 5)
        seen = self.seen(read)
        assert sorted(seen[:NUMBER]) == sorted(seen[NUMBER:]) == list(range(NUMBER))
        assert seen[:NUMBER] != seen[NUMBER:] and [len(labels) for _, labels in read] == [BATCH] * 5
        assert [each for _, labels in read for each in labels] == [n % 3 for n in seen]

    def test_batches_depend_on_seed_and_step_alone(self, source, spec):
        first = self.train(source, spec, 6)
        assert same(self.train(source, spec, 2, step=4), first[4:])
        assert self.seen(self.train(source, spec, 6, seed=4)) != self.seen(first)

    def test_two_workers_share_the_examples(self, source, spec):
        parts = [
            self.seen(self.train(source, spec, 5, input_context=worker(index, 2)))
            for index in range(2)
        ]
        assert set(parts[0]) != set() != set(parts[1])
        if self.epochs_are_whole:
            order = [each for step in range(5) for part in parts for each in part[4 * step :][:4]]
            assert sorted(order[:NUMBER]) == sorted(order[NUMBER : 2 * NUMBER]) == list(range(10))
        else:
            assert not set(parts[0]) & set(parts[1])
            assert set(parts[0]) | set(parts[1]) == set(range(NUMBER))

    def test_a_worker_goes_on_where_it_was(self, source, spec):
        # Two replicas in each worker: a step takes two of the worker's batches.
        where = {"input_context": worker(1, 2, replicas=2)}
        first = self.train(source, spec, 6, **where)
        assert same(self.train(source, spec, 2, step=2, **where), first[4:])

    def test_workers_without_a_strategy_share_the_examples(self, source, spec):
        config = types.SimpleNamespace(
            num_worker_replicas=2, task_type="worker", global_id_in_cluster=1
        )
        by_strategy = self.train(source, spec, 3, input_context=worker(1, 2))
        assert same(self.train(source, spec, 3, config=config), by_strategy)

    def test_evaluation_by_two_workers_sees_each_example_once(self, source, spec):
        seen = [
            self.seen(batches(source.evaluation_fn(spec)(input_context=worker(index, 2))))
            for index in range(2)
        ]
        assert sorted(seen[0] + seen[1]) == list(range(NUMBER)) and len(seen[0]) != NUMBER

    def test_a_feature_that_it_does_not_give(self, source, spec):
        features = {**spec.features, "other": tf.TensorSpec([None], tf.string)}
        with pytest.raises(errors.FeatureNotFoundError) as caught:
            source.check(ExampleSpec(features, spec.labels))
        assert str(caught.value) == (
            f"The model takes the feature 'other', which {type(source).__name__} does not give. It "
            f"gives: {', '.join(source.feature_names)}."
        )
