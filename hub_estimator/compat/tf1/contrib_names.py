"""Where the names of `tf.contrib` are today, as far as they still mean the same; and what to use.

Only names with the same arguments and the same results are here: a program that would run and train
otherwise than before is worse off than one that is told.
"""

from __future__ import annotations

_TF1 = "tensorflow.compat.v1"
_LAYERS = "hub_estimator.compat.tf1.layers"
_LOOKUP = "tensorflow.python.ops.lookup_ops"
_SMART = "tensorflow.python.framework.smart_cond"
_SUMMARY = "tensorflow.python.ops.summary_ops_v2"
_TPU = f"{_TF1}:estimator.tpu"
_SLIM = "tf_slim"

# Namespaces that are elsewhere as a whole, with all that is in them.
MODULES = {
    "autograph": f"{_TF1}:autograph",
    "distributions": f"{_TF1}:distributions",
    "framework.nest": "tensorflow.python.util.nest",
    "framework.python.ops.arg_scope": f"{_SLIM}.ops.arg_scope",
    "framework.python.ops.variables": f"{_SLIM}.ops.variables",
    "gan": "tensorflow_gan",
    "keras": f"{_TF1}:keras",
    "layers.python.layers": f"{_SLIM}.layers",
    "lite": f"{_TF1}:lite",
    "metrics": f"{_SLIM}.metrics",
    "signal": f"{_TF1}:signal",
    "slim": _SLIM,
    "slim.python.slim": _SLIM,
    "slim.python.slim.nets": f"{_SLIM}.nets",
    "tensorboard.plugins.projector": "tensorboard.plugins.projector",
    "tpu.python.tpu": "tensorflow_estimator.python.estimator.tpu",
}

# By namespace: the places that have some of its names. `*` is whatever a place has.
NAMES: dict[str, dict[str, str]] = {
    "cluster_resolver": {
        "tensorflow:distribute.cluster_resolver": (
            "ClusterResolver GceClusterResolver=GCEClusterResolver KubernetesClusterResolver "
            "SimpleClusterResolver SlurmClusterResolver TFConfigClusterResolver TPUClusterResolver "
            "UnionClusterResolver=UnionResolver"
        ),
    },
    "compiler.jit": {f"{_TF1}:xla.experimental": "experimental_jit_scope=jit_scope"},
    "compiler.xla": {f"{_TF1}:xla.experimental": "compile"},
    "data": {
        f"{_TF1}:data": (
            "Dataset FixedLengthRecordDataset Iterator TFRecordDataset TextLineDataset"
        ),
        f"{_TF1}:data.experimental": (
            "AUTOTUNE CheckpointInputPipelineHook Counter CsvDataset Optional RandomDataset Reducer "
            "SqlDataset TFRecordWriter bucket_by_sequence_length choose_from_datasets copy_to_device "
            "dense_to_sparse_batch enumerate_dataset get_next_as_optional get_single_element "
            "group_by_reducer group_by_window ignore_errors make_batched_features_dataset "
            "make_csv_dataset make_saveable_from_iterator map_and_batch parallel_interleave "
            "parse_example_dataset prefetch_to_device rejection_resample sample_from_datasets scan "
            "shuffle_and_repeat unbatch unique"
        ),
    },
    "estimator": {
        f"{_TF1}:estimator": "DNNEstimator DNNLinearCombinedEstimator LinearEstimator add_metrics",
        f"{_TF1}:estimator.experimental": (
            "InMemoryEvaluatorHook build_raw_supervised_input_receiver_fn call_logit_fn "
            "dnn_logit_fn_builder linear_logit_fn_builder make_early_stopping_hook "
            "make_stop_at_checkpoint_step_hook stop_if_higher_hook stop_if_lower_hook "
            "stop_if_no_decrease_hook stop_if_no_increase_hook"
        ),
    },
    "feature_column": {
        f"{_TF1}:feature_column": (
            "sequence_categorical_column_with_hash_bucket sequence_categorical_column_with_identity "
            "sequence_categorical_column_with_vocabulary_file "
            "sequence_categorical_column_with_vocabulary_list sequence_numeric_column"
        ),
    },
    "framework": {
        _TF1: "CriticalSection TensorSpec argsort is_tensor sort",
        f"{_TF1}:debugging": "assert_same_float_dtype assert_scalar",
        f"{_TF1}:train": (
            "assert_global_step create_global_step get_global_step get_or_create_global_step "
            "global_step init_from_checkpoint list_variables load_checkpoint load_variable"
        ),
        _SMART: "smart_case smart_cond smart_constant_value",
        _SLIM: (
            "add_arg_scope add_model_variable arg_scope arg_scoped_arguments assign_from_checkpoint "
            "assign_from_checkpoint_fn assign_from_values assign_from_values_fn current_arg_scope "
            "filter_variables get_local_variables get_model_variables get_trainable_variables "
            "get_unique_variable get_variable_full_name get_variables get_variables_by_name "
            "get_variables_by_suffix get_variables_to_restore has_arg_scope local_variable "
            "model_variable variable VariableDeviceChooser"
        ),
    },
    "framework.python.ops": {_SLIM: "add_arg_scope"},
    "layers": {
        _LAYERS: (
            "l1_regularizer l2_regularizer variance_scaling_initializer xavier_initializer "
            "xavier_initializer_conv2d"
        ),
        _TF1: "recompute_grad",
        f"{_SLIM}.layers": "*",
    },
    "lookup": {
        _LOOKUP: (
            "HashTable HasherSpec IdTableWithHashBuckets InitializableLookupTableBase "
            "KeyValueTensorInitializer LookupInterface MutableHashTable StrongHashSpec "
            "TextFileIdTableInitializer TextFileIndex TextFileInitializer "
            "TextFileStringTableInitializer index_table_from_file index_table_from_tensor "
            "index_to_string_table_from_file index_to_string_table_from_tensor"
        ),
    },
    "rnn": {
        f"{_TF1}:nn.rnn_cell": (
            "BasicLSTMCell BasicRNNCell DeviceWrapper DropoutWrapper GRUCell LSTMCell "
            "LSTMStateTuple MultiRNNCell RNNCell ResidualWrapper"
        ),
        f"{_TF1}:nn": "static_bidirectional_rnn static_rnn static_state_saving_rnn",
    },
    "staging": {"tensorflow.python.ops.data_flow_ops": "StagingArea"},
    "stateless": {
        f"{_TF1}:random": (
            "stateless_multinomial stateless_random_normal=stateless_normal "
            "stateless_random_uniform=stateless_uniform stateless_truncated_normal"
        ),
    },
    "summary": {
        _SUMMARY: (
            "all_summary_ops=all_v2_summary_ops always_record_summaries audio create_file_writer "
            "create_summary_file_writer eval_dir generic histogram image import_event initialize "
            "never_record_summaries record_summaries_every_n_global_steps scalar "
            "summary_writer_initializer_op"
        ),
    },
    "tpu": {
        _TPU: "InputPipelineConfig RunConfig TPUConfig TPUEstimator TPUEstimatorSpec",
        f"{_TF1}:tpu": (
            "CrossShardOptimizer batch_parallel bfloat16_scope core cross_replica_sum "
            "initialize_system outside_compilation replicate rewrite shard shutdown_system"
        ),
    },
    "training": {
        f"{_TF1}:train": "checkpoints_iterator",
        f"{_SLIM}.training.training": (
            "add_gradients_summaries clip_gradient_norms clip_gradient_norms_fn create_train_op "
            "multiply_gradients train"
        ),
        f"{_SLIM}.training.evaluation": (
            "StopAfterNEvalsHook SummaryAtEndHook evaluate_once evaluate_repeatedly "
            "get_or_create_eval_step wait_for_new_checkpoint"
        ),
    },
    "util": {
        _TF1: "constant_value=get_static_value make_ndarray make_tensor_proto",
    },
}

# What is installed beside TensorFlow for the places that are not of it.
PACKAGES = {"tf_slim": "tf-slim", "tensorflow_gan": "tensorflow-gan"}

_ADDONS = "It was last in the package tensorflow-addons, whose last release is for TensorFlow 2.15."
# What to do about others; of a namespace it holds for all that is in it.
INSTEAD = {
    "cudnn_rnn": "tf.keras.layers.LSTM and GRU run on cuDNN; the variables are others.",
    "crf": _ADDONS,
    "distribute": (
        "The strategies are in tf.distribute, and some of their arguments are others: "
        "tf.distribute.MirroredStrategy(devices) for MirroredStrategy(num_gpus=...)."
    ),
    "estimator.binary_classification_head": (
        "Use tf.estimator.BinaryClassHead, whose loss_reduction is SUM_OVER_BATCH_SIZE by default."
    ),
    "estimator.multi_class_head": (
        "Use tf.estimator.MultiClassHead, whose loss_reduction is SUM_OVER_BATCH_SIZE by default."
    ),
    "estimator.multi_head": "Use tf.estimator.MultiHead.",
    "estimator.multi_label_head": "Use tf.estimator.MultiLabelHead.",
    "estimator.regression_head": (
        "Use tf.estimator.RegressionHead, whose loss_reduction is SUM_OVER_BATCH_SIZE by default."
    ),
    "estimator.clip_gradients_by_norm": (
        "Clip in the train_op: tf.clip_by_norm on what optimizer.compute_gradients gives, before "
        "apply_gradients."
    ),
    "estimator.replicate_model_fn": (
        "Use tf.estimator.RunConfig(train_distribute=tf.distribute.MirroredStrategy())."
    ),
    "estimator.TowerOptimizer": (
        "Use tf.estimator.RunConfig(train_distribute=tf.distribute.MirroredStrategy())."
    ),
    "image": _ADDONS,
    "learn": (
        "Its Estimators, RunConfig and Experiment are tf.estimator.Estimator, tf.estimator.RunConfig "
        "and tf.estimator.train_and_evaluate."
    ),
    "losses": "Use tf.losses, whose arguments come in another order.",
    "opt": (
        "Use an optimizer of tf.train; for AdamWOptimizer there is hub_estimator.training."
        "AdamWOptimizer."
    ),
    "predictor": (
        "Use tf.saved_model.loader.load(session, ['serve'], folder) and session.run, or "
        "tf.saved_model.load of TensorFlow 2 (tf.compat.v2) and its signatures."
    ),
    "rnn": "Of its cells those of tf.nn.rnn_cell are here.",
    "seq2seq": _ADDONS,
    "summary": "Use tf.summary.",
    "training.HParams": "Use a dict, or a types.SimpleNamespace for access by attribute.",
}
