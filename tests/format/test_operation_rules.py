"""The table of operations that do more than compute, beside all that TensorFlow has.

A later TensorFlow's new operations fail here until they are in the table, or below with the reason.
"""

from __future__ import annotations

import re

import pytest
import tensorflow as tf
from tensorflow.core.framework import node_def_pb2, op_def_pb2
from tensorflow.python.client import pywrap_tf_session
from tensorflow.python.framework import kernels

from hub_estimator import compat
from hub_estimator.format.operation_rules import CALLS_PYTHON, RULES, UNKNOWN, is_known

# What the names of operations, their inputs and their attributes have in them where they may reach
# out of the graph.
SUSPICIOUS = re.compile(
    "(?i)abort|address|cache|callback|checkpoint|collective|compile|debug|descriptor|device|dir(?!ect)|dump|"
    "endpoint|engine|exec|export|file|graph|host|import|lmdb|load|log_?dir|memory_region|module|nccl|"
    "path|prefix|print|program|python|py_?func|reader|^read|record|recv|register|remote|restore|rpc|"
    "save|send|serializ|server|service|snapshot|socket|sql|summary|target|token|uri|url|write"
)
# Those that look so, or change something by running, and reach nothing: by what their names start
# with, and why.
HARMLESS = {
    "Anonymous|Barrier|ConditionalAccumulator|Dummy|FIFOQueue|FakeQueue|HashTable|Iterator|Mutable|"
    "MutexLock|MutexV2|OrderedMap|PaddingFIFO|PriorityQueue|Queue|RandomShuffleQueue|Stack|Stage|"
    "Stub|Summary|TensorArray|TemporaryVariable|Unstage|Var|_Var|_ReadVariables|ReadVariable|"
    "Map(Clear|IncompleteSize|Peek|Size|Stage|Unstage)|MultiDevice|SparseConditional|Resource|"
    "Consume|Make|Delete(Iter|Mem|Multi|Rand|Seed|Session)|Destroy|DisableCopyOnRead|Experimental"
    "(Iterator|StatsAgg|ThreadPool)|GetSession|StatsAggregator(Handle|Summary)|ThreadPoolH|"
    "IsResource|Assign|LookupTable|TakeManySparse|Add(Many)?Sparse|OneShotIterator|"
    "InitializeTable(V2|FromDataset)": "state in the memory of the process",
    "Reader": "they act on a reader, which is named itself",
    "IdentityReader": "gives what is in its queue",
    "(Stateful|Random|Stateless|NonDet|Param|Trunc|Multinomial|SampleDist|Rng|Learned|LogUniform|"
    "ThreadUnsafeUni|Uniform|AllCand|NegTrain)": "random numbers",
    "(De)?[Ss]erialize(Many)?Sparse|SerializeTensor|Parse|OptionsDataset|TensorSummary": (
        "messages as tensors"
    ),
    "SerializeIterator|DeserializeIterator": "the position of an iterator, which is named itself",
    "(Audio|Histogram|Image|Scalar|Merge)Summary": "they make a message, and write it nowhere",
    "ShardedFile|Regex|StaticRegex|Fingerprint|SdcaFprint|DecodeCSV|TensorSliceDataset": (
        "texts, or whether elements are names of files"
    ),
    "DatasetToGraph|DatasetFingerprint": "they describe a dataset",
    "(Experimental)?(GroupByReducer|NonSerializable|SetStatsAggregator|ThreadPool|Random)?Dataset|"
    "GeneratorDataset|GlobalShuffle|GroupByReducer|ListDataset|RangeDataset|ReduceDataset|Shuffle|"
    "SparseTensorSliceDataset|TensorDataset|DatasetToSingle|DirectedInterleave|NonSerializable|"
    "RewriteDataset|ScanDataset|SetStats|ThreadPoolDataset|(Experimental)?RandomDataset|"
    "Experimental(GroupBy|NonSer|SetStats|Thread)": "their functions are looked into",
    "Case|If|While|StatefulPart|PartitionedCall|_If|_While|XlaIf|XlaWhile|XlaLaunch|_Xla": (
        "their functions are looked into"
    ),
    "XlaCallModule": "a program of XLA's operations, which compute; functions are looked into",
    "Assert|CheckNumerics|Print$|DebugGradient|DebugNumericSummaryV2|Copy|SleepOp|SleepIdentity": (
        "at most words on standard error"
    ),
    "CudnnRNN|_Fused|_Mkl|_Quantized|_HostCast|HostConst|_Copy|_Parallel|_Arg|_Device|_Retval|_Scoped|"
    "DeviceIndex|DevicePlacement|SyncDevice|DeepCopy|Empty|GuaranteeConst|Timestamp|GraphDefVersion|"
    "IsTensorFloat32|XlaDequantize|ApproxTopK|CTC|InTopK|Snapshot$": "they compute on what they get",
    "CreateTRTResource|GetCalibrationData|CustomAggregator": (
        "what TensorRT and quantization collect in memory"
    ),
    "DtypeWithDefault|TestAttr": "tests of TensorFlow's own",
}
ONLY_IN_SOME_RELEASES = {
    "CalibrationStatisticsSaver",
    "InitializeTRTResource",
    "ListSnapshotChunksDataset",
    "SerializeTRTResource",
    "TRTEngineOp",
    "TfLiteSubgraphExecute",
}
# Operations that TensorFlow's own tests left in it.
LEFT_BY_TESTS = {"ConstructionFails", "DtypeWithDefaultOp", "KernelLabel", "KernelLabelRequired"}
LEFT_BY_TESTS |= {"DevicePlacementOp", "Old", "ResourceCreateOp", "ResourceInitializedOp"}
LEFT_BY_TESTS |= {"ResourceUsingOp", "StubResourceHandleOp", "TestAttr"}


def _all_types():
    ops = op_def_pb2.OpList()
    ops.ParseFromString(pywrap_tf_session.TF_GetBuffer(pywrap_tf_session.TF_GetAllOpList()))
    return {op.name: op for op in ops.op}


def _runs_here(op_type):
    found = kernels.get_registered_kernels_for_op(op_type).kernel
    return any(kernel.device_type in ("CPU", "GPU", "DEFAULT") for kernel in found)


def _reason(op_type):
    return next((reason for start, reason in HARMLESS.items() if re.match(start, op_type)), None)


@pytest.fixture(scope="module")
def others():
    """The types that can run here and are not in the table."""
    return {name: op for name, op in _all_types().items() if name not in RULES and _runs_here(name)}


def test_all_of_the_table_are_types_of_tensorflow():
    assert set(RULES) - set(_all_types()) <= ONLY_IN_SOME_RELEASES
    assert ONLY_IN_SOME_RELEASES <= set(RULES)


def test_each_type_that_sounds_as_if_it_reached_out_is_in_the_table_or_is_known_not_to(others):
    names = {
        name: [name, *(arg.name for arg in op.input_arg), *(attr.name for attr in op.attr)]
        for name, op in others.items()
    }
    unexplained = {
        name: [word for word in words if SUSPICIOUS.search(word)]
        for name, words in names.items()
        if any(map(SUSPICIOUS.search, words)) and not _reason(name)
    }
    assert unexplained == {}


def test_each_type_that_does_something_by_running_is_in_the_table_or_is_known_not_to(others):
    stateful = {name for name, op in others.items() if op.is_stateful}
    assert {name for name in stateful if not _reason(name)} == set()
    assert len(stateful) > 200  # there are such types, and they were found


def test_the_types_of_tensorflow_are_told_from_those_of_libraries(others):
    assert {name for name in others if not is_known(name)} <= LEFT_BY_TESTS
    assert all(compat.is_own_op(name) for name in set(RULES) & set(_all_types()))
    for name in ("IO>ReadFile", "SimpleMLLoadModelFromPathWithHandle", "NoSuchOp"):
        assert not is_known(name)
    for name in ("TFText>NgramsStringJoin", "SentencepieceOp", "CaseFoldUTF8"):
        assert is_known(name)


def test_the_types_with_tensors_as_attributes():
    """Those whose constants are counted: `compat.op_attr_types` is what tells them."""
    found = {name for name in _all_types() if "tensor" in compat.op_attr_types(name)}
    assert found == {"Const", "HostConst", "ImageSummary", "DefaultAttrs"}
    assert "func" in compat.op_attr_types("If") and "func" in compat.op_attr_types("Case")
    assert compat.op_attr_types("NoSuchOp") == {"func", "tensor"}
    assert "func" not in compat.op_attr_types("MatMul")


@pytest.mark.parametrize(
    ("op_type", "attribute", "harmless", "harmful"),
    [
        ("FixedUnigramCandidateSampler", "vocab_file", [b""], [b"/etc/passwd"]),
        ("PrintV2", "output_stream", [b"", b"stdout", b"stderr", b"log(info)"], [b"file:///tmp/x"]),
        ("DecodeProtoV2", "descriptor_source", [b"", b"local://", b"bytes://x"], [b"/tmp/x.pb"]),
        ("EncodeProto", "descriptor_source", [b"local://"], [b"gs://bucket/x.pb"]),
        ("DebugIdentity", "debug_urls", [b""], [b"file:///tmp/x", b"grpc://host:1"]),
        ("DebugIdentityV2", "debug_urls", [b""], [b"/tmp/x"]),
    ],
)
def test_some_types_reach_out_by_an_attribute(op_type, attribute, harmless, harmful):
    applies = RULES[op_type].applies
    assert not applies(node_def_pb2.NodeDef(op=op_type))
    for is_list in (False, True):
        for text in (*harmless, *harmful):
            node = node_def_pb2.NodeDef(op=op_type)
            if is_list:
                node.attr[attribute].list.s.append(text)
            else:
                node.attr[attribute].s = text
            assert applies(node) == (text in harmful)
    # In a function's body it may be anything that the function is called with.
    node = node_def_pb2.NodeDef(op=op_type)
    node.attr[attribute].placeholder = "x"
    assert applies(node)


def test_python_functions_are_in_the_table():
    for name in ("PyFunc", "PyFuncStateless", "EagerPyFunc"):
        assert RULES[name].kind == CALLS_PYTHON
    assert hasattr(tf.raw_ops, "PyFunc") and UNKNOWN not in {rule.kind for rule in RULES.values()}
