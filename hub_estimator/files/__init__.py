"""Files and folders: where they are, what is in them, and how they appear whole or not at all.

Paths may be `str`, `bytes` or path-like, on the local disk or on any filesystem that
`tf.io.gfile` knows (`gs://`, `ram://`, ...), for which alone TensorFlow is imported, or else
`fsspec` (`s3://`, `az://`, ...): a store.

`files.locks` is imported by name: it takes a library that most users of this package do not need.
"""

from hub_estimator.files.access import (
    check_file,
    copy_file,
    exists,
    fetch,
    is_folder,
    is_link,
    is_plain_file,
    is_there,
    link_or_copy,
    listing,
    make_folder,
    move,
    open_file,
    read_bytes,
    remove,
    size,
)
from hub_estimator.files.flushing import flush_file, flush_folder, flush_tree
from hub_estimator.files.outputs import check_export_path, check_output, export_path_taken
from hub_estimator.files.paths import (
    PathLike,
    as_path,
    check_name,
    is_remote,
    is_same,
    is_within,
    join,
    parent,
    scheme_of,
    user_cache_folder,
    without_login,
    without_logins,
)
from hub_estimator.files.stores import StoredFile, as_store, files_below, put_new
from hub_estimator.files.systems import gfile, is_store
from hub_estimator.files.whole import (
    NO_ROOM,
    is_abandoned,
    remove_abandoned,
    remove_at_once,
    scratch_beside,
    scratch_folder,
    switch_link,
    whole_file,
    whole_folder,
    write_bytes,
    write_text,
)

__all__ = [
    "NO_ROOM",
    "PathLike",
    "StoredFile",
    "as_path",
    "as_store",
    "check_export_path",
    "check_file",
    "check_name",
    "check_output",
    "copy_file",
    "exists",
    "export_path_taken",
    "fetch",
    "files_below",
    "flush_file",
    "flush_folder",
    "flush_tree",
    "gfile",
    "is_abandoned",
    "is_folder",
    "is_link",
    "is_plain_file",
    "is_remote",
    "is_same",
    "is_store",
    "is_there",
    "is_within",
    "join",
    "link_or_copy",
    "listing",
    "make_folder",
    "move",
    "open_file",
    "parent",
    "put_new",
    "read_bytes",
    "remove",
    "remove_abandoned",
    "remove_at_once",
    "scheme_of",
    "scratch_beside",
    "scratch_folder",
    "size",
    "switch_link",
    "user_cache_folder",
    "whole_file",
    "whole_folder",
    "without_login",
    "without_logins",
    "write_bytes",
    "write_text",
]
