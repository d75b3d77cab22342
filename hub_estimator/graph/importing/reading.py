"""Operations that read a resource and change nothing."""

from __future__ import annotations

READING = frozenset(
    {
        *("ReadVariableOp", "ResourceGather", "ResourceGatherNd", "VarIsInitializedOp"),
        *("VariableShape", "LookupTableFindV2", "LookupTableSizeV2"),
    }
)
"""What TensorFlow calls stateful and only reads a resource: it may be done twice, or not at all."""
HARMLESS = READING | {"Assert"}
"""Likewise, with checks, which are to be done at least once: then as often as one likes, in any order."""
