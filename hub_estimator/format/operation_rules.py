"""The types of TensorFlow's operations that do more than compute, and what they do.

Those that are not here compute on what they are given, or keep state in the memory of the process.
`tests/format/test_operation_rules.py` goes over all types of the installed TensorFlow.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from hub_estimator import compat

READS = "reads files"
LISTS = "lists files"
RESTORES = "restores checkpoints"
WRITES = "writes files"
CALLS_PYTHON = "calls Python"
SENDS = "reaches the network or other devices"
RUNS_DATA = "runs programs that are stored as data"
CHANGES_PROCESS = "ends the process or changes its settings"
UNKNOWN = "has operations of a library beside TensorFlow"


@dataclasses.dataclass(frozen=True)
class Rule:
    """What operations of a type do.

    Attributes:
      kind: what they do.
      paths: the inputs that are the paths that they read. Where all are of the module's own files,
        nothing else is read.
      applies: tells by the attributes whether an operation does it; None is always.
    """

    kind: str
    paths: tuple[int, ...] = ()
    applies: Callable[[Any], bool] | None = None


def _names(attribute: str, but: tuple[bytes, ...] = ()) -> Callable[[Any], bool]:
    """Returns a function that tells whether an attribute of strings names something.

    In a function's body it may stand for what the function is called with, which may be anything.

    Args:
      attribute: the attribute.
      but: how values start that name nothing outside.
    """

    def applies(node: Any) -> bool:
        if attribute not in node.attr:
            return False
        value = node.attr[attribute]
        named = any(text and not text.startswith(but) for text in (value.s, *value.list.s))
        return named or bool(value.placeholder)

    return applies


def _rules(kind: str, op_types: str, **settings: Any) -> dict[str, Rule]:
    return dict.fromkeys(op_types.split(), Rule(kind, **settings))


RULES: dict[str, Rule] = {
    # Their first input is a path, or a list of paths.
    **_rules(
        READS,
        "ReadFile TextLineDataset TFRecordDataset TFRecordDatasetV2 FixedLengthRecordDataset "
        "FixedLengthRecordDatasetV2 CSVDataset CSVDatasetV2 ExperimentalCSVDataset LMDBDataset "
        "ExperimentalLMDBDataset LoadDataset SnapshotDatasetReader SnapshotChunkDataset "
        "ListSnapshotChunksDataset",
        paths=(0,),
    ),
    **_rules(
        READS,
        "InitializeTableFromTextFile InitializeTableFromTextFileV2 InitializeTRTResource SqlDataset "
        "ExperimentalSqlDataset",
        paths=(1,),
    ),
    **_rules(READS, "GenerateVocabRemapping", paths=(0, 1)),
    # They take paths from a queue, or from other datasets.
    **_rules(
        READS,
        "WholeFileReader WholeFileReaderV2 TextLineReader TextLineReaderV2 TFRecordReader "
        "TFRecordReaderV2 FixedLengthRecordReader FixedLengthRecordReaderV2 LMDBReader "
        "SnapshotNestedDatasetReader",
    ),
    # An attribute is the path.
    **_rules(READS, "RecordInput Skipgram ImmutableConst"),
    **_rules(READS, "FixedUnigramCandidateSampler", applies=_names("vocab_file")),
    # The types of messages: those that TensorFlow is linked with, those in the attribute, or a file.
    **_rules(
        READS,
        "DecodeProtoV2 EncodeProto",
        applies=_names("descriptor_source", but=(b"local://", b"bytes://")),
    ),
    **_rules(LISTS, "MatchingFiles MatchingFilesDataset ExperimentalMatchingFilesDataset"),
    **_rules(
        RESTORES,
        "Restore RestoreSlice RestoreV2 DTensorRestoreV2 LoadAndRemapMatrix",
        paths=(0,),
    ),
    **_rules(
        WRITES,
        "WriteFile Save SaveSlices SaveV2 MergeV2Checkpoints SaveDataset SaveDatasetV2 "
        "DistributedSave SnapshotDataset SnapshotDatasetV2 DatasetToTFRecord "
        "ExperimentalDatasetToTFRecord SerializeTRTResource DumpTensor CalibrationStatisticsSaver",
    ),
    # A cache in memory is one with an empty path, which only running it tells.
    **_rules(WRITES, "CacheDataset CacheDatasetV2"),
    # Summaries: the writer may be one that the program around the module has.
    **_rules(
        WRITES,
        "CloseSummaryWriter CreateSummaryFileWriter CreateSummaryDbWriter FlushSummaryWriter ImportEvent "
        "StatsAggregatorSetSummaryWriter WriteAudioSummary WriteGraphSummary WriteHistogramSummary "
        "WriteImageSummary WriteRawProtoSummary WriteScalarSummary WriteSummary",
    ),
    **_rules(
        WRITES,
        "PrintV2",
        applies=_names("output_stream", but=(b"stdout", b"stderr", b"log(")),
    ),
    # TensorFlow's debugger sends or writes what they see to the URLs that they name.
    **_rules(
        WRITES,
        "DebugIdentity DebugIdentityV2 DebugIdentityV3 DebugNanCount DebugNumericSummary",
        applies=_names("debug_urls"),
    ),
    # A file holds no Python, but the token in them may be that of a function of this process.
    **_rules(CALLS_PYTHON, "PyFunc PyFuncStateless EagerPyFunc"),
    **_rules(
        SENDS,
        "RpcClient RpcServer RpcServerRegister RpcServerStart RpcCall RpcCheckStatus RpcGetValue "
        "DeleteRpcFutureResource DataServiceDataset DataServiceDatasetV2 DataServiceDatasetV3 "
        "DataServiceDatasetV4 RegisterDataset RegisterDatasetV2",
    ),
    # Between devices, or machines where the session is of a cluster.
    **_rules(
        SENDS,
        "RemoteCall Send Recv _Send _Recv _HostSend _HostRecv XlaSend XlaRecv XlaSendToHost "
        "XlaRecvFromHost _XlaSendFromHost _XlaSendFromHostV2 _XlaRecvAtHost _XlaRecvAtHostV2 "
        "XlaHostCompute _XlaHostComputeMlir CollectiveAllToAllV2 CollectiveAllToAllV3 "
        "CollectiveAssignGroupV2 CollectiveBcastRecv CollectiveBcastRecvV2 CollectiveBcastSend "
        "CollectiveBcastSendV2 CollectiveGather CollectiveGatherV2 CollectiveInitializeCommunicator "
        "CollectivePermute CollectiveReduce CollectiveReduceScatterV2 CollectiveReduceV2 "
        "CollectiveReduceV3 NcclAllReduce NcclBroadcast NcclReduce _NcclBroadcastRecv "
        "_NcclBroadcastSend _NcclReduceRecv _NcclReduceSend",
    ),
    # What these run is in a string or at an address, where nobody sees what it does.
    **_rules(
        RUNS_DATA,
        "DatasetFromGraph TRTEngineOp MlirPassthroughOp TfLiteSubgraphExecute XlaCustomCall "
        "XlaCustomCallV2 TPUCompile _TPUCompileMlir",
    ),
    **_rules(CHANGES_PROCESS, "Abort FileSystemSetConfiguration WorkerHeartbeat"),
}

# Operations of tensorflow_text, which many modules for text use: all compute on what they are given,
# and none has an input or an attribute that is a path or an address.
_TENSORFLOW_TEXT = "TFText>"
_OF_TENSORFLOW_TEXT = frozenset(
    {
        "CaseFoldUTF8",
        "ConstrainedSequence",
        "FastBertNormalize",
        "FastWordpieceTokenizeWithOffsets",
        "FindSourceOffsets",
        "MaxSpanningTree",
        "NgramsStringJoin",
        "NormalizeUTF8",
        "NormalizeUTF8WithOffsetsMap",
        "PhraseTokenize",
        "RegexSplitWithOffsets",
        "RougeL",
        "SentenceFragments",
        "SentenceFragmentsV2",
        "SentencepieceDetokenizeOp",
        "SentencepieceIdToStringOp",
        "SentencepieceOp",
        "SentencepieceStringToIdOp",
        "SentencepieceTokenizeOp",
        "SentencepieceTokenizeWithOffsetsOp",
        "SentencepieceVocabSizeOp",
        "SplitMergeTokenizeWithOffsets",
        "TokenizerFromLogits",
        "UnicodeScriptTokenizeWithOffsets",
        "WhitespaceTokenizeWithOffsets",
        "WordpieceTokenizeWithOffsets",
    }
)


def is_known(op_type: str) -> bool:
    """Whether it is known what operations of a type do; those of other libraries may do anything."""
    is_text = op_type.startswith(_TENSORFLOW_TEXT) or op_type in _OF_TENSORFLOW_TEXT
    return is_text or compat.is_own_op(op_type)
