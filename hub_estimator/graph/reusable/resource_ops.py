"""The operations on references of TF1 graphs, and those on resources that do the same or only read."""

from __future__ import annotations

VARIABLES = frozenset({"Variable", "VariableV2"})
"""What makes the reference of a variable."""

TABLES = {
    "HashTable": "HashTableV2",
    "MutableHashTable": "MutableHashTableV2",
    "MutableHashTableOfTensors": "MutableHashTableOfTensorsV2",
}
"""What makes the reference of a table, and what makes a resource in its place."""

PASSING = {
    "RefEnter": "Enter",
    "RefExit": "Exit",
    "RefIdentity": "Identity",
    "RefMerge": "Merge",
    "RefNextIteration": "NextIteration",
    "RefSwitch": "Switch",
}
"""What passes a reference on, and what passes a resource on in its place."""

ASSIGNING = {
    "Assign": "AssignVariableOp",
    "AssignAdd": "AssignAddVariableOp",
    "AssignSub": "AssignSubVariableOp",
    "StridedSliceAssign": "ResourceStridedSliceAssign",
    **{
        f"Scatter{change}": f"ResourceScatter{change}"
        for change in ("Update", "Add", "Sub", "Mul", "Div", "Min", "Max")
    },
    **{
        f"ScatterNd{change}": f"ResourceScatterNd{change}"
        for change in ("Update", "Add", "Sub", "Min", "Max")
    },
}
"""What changes the variable of its first input and gives its reference; those on resources give
nothing."""

USING = {
    "IsVariableInitialized": "VarIsInitializedOp",
    "CountUpTo": "ResourceCountUpTo",
    **{
        name: f"{name}V2"
        for name in (
            "InitializeTable",
            "InitializeTableFromTextFile",
            "LookupTableExport",
            "LookupTableFind",
            "LookupTableImport",
            "LookupTableInsert",
            "LookupTableSize",
        )
    },
}
"""What else takes a reference as its first input."""
