"""Elements in files: `save`, `load`, `snapshot` and `cache(filename)`.

A saved data set is a directory: `element_spec.json` says what elements are, and each shard is a TFRecord file in which a
record holds the tensors of one element, as `TensorProto` messages. Nothing in it names code.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

from headwater._src.base import dtypes, nest
from headwater._src.base.errors import DataLossError, NotFoundError, invalid
from headwater._src.core.composite import SparseTensorSpec
from headwater._src.core.ragged import RaggedTensorSpec
from headwater._src.core.spec import TensorSpec
from headwater._src.core.tensor import EagerTensor, of_array
from headwater._src.data.fingerprints import fingerprint
from headwater._src.data.functions import Pass, UserFunction, arguments, of_elements
from headwater._src.data.nodes import UNKNOWN, Node
from headwater._src.data.structure import NoneTensorSpec, component_specs, components, from_components
from headwater._src.io import wire
from headwater._src.io.gfile import _path, write_whole
from headwater._src.io.raw import deserialized, serialized
from headwater._src.io.records import TFRecordWriter, read_records

_SPEC = "element_spec.json"
_MAX_DEPTH = 64


def described(spec: Any) -> Any:
    """A specification as JSON; NotImplementedError for kinds without a form."""
    if isinstance(spec, TensorSpec):
        return {"kind": "tensor", "shape": _dims(spec), "dtype": spec.dtype.name}
    if isinstance(spec, SparseTensorSpec):
        return {"kind": "sparse", "shape": _dims(spec), "dtype": spec.dtype.name}
    if isinstance(spec, RaggedTensorSpec):
        more = {"rank": spec.ragged_rank, "splits": spec.row_splits_dtype.name}
        return {"kind": "ragged", "shape": _dims(spec), "dtype": spec.dtype.name, **more}
    if isinstance(spec, NoneTensorSpec):
        return {"kind": "none"}
    if isinstance(spec, tuple):
        return {"kind": "tuple", "parts": [described(s) for s in spec]}
    if isinstance(spec, dict):
        return {"kind": "dict", "keys": list(spec), "parts": [described(s) for s in spec.values()]}
    raise NotImplementedError(f"Elements of {spec!r} can't be saved in this version of headwater.")


def _dims(spec: Any) -> Any:
    return None if spec.shape.rank is None else spec.shape.as_list()


def spec_from(tree: Any, depth: int = 0) -> Any:
    """The specification that `described` made JSON of; DataLossError where it is none."""
    if depth > _MAX_DEPTH or not isinstance(tree, dict):
        raise DataLossError(None, None, "The description of a saved data set is damaged.")
    try:
        kind = tree["kind"]
        if kind in ("tensor", "sparse"):
            made = TensorSpec if kind == "tensor" else SparseTensorSpec
            return made(tree["shape"], dtypes.as_dtype(tree["dtype"]))
        if kind == "ragged":
            splits = dtypes.as_dtype(tree["splits"])
            return RaggedTensorSpec(tree["shape"], dtypes.as_dtype(tree["dtype"]), int(tree["rank"]), splits)
        if kind == "none":
            return NoneTensorSpec()
        parts = [spec_from(p, depth + 1) for p in tree["parts"]]
        if kind == "tuple":
            return tuple(parts)
        if kind == "dict":
            return dict(zip(tree["keys"], parts, strict=True))
    except (KeyError, TypeError, ValueError) as error:
        raise DataLossError(
            None, None, f"The description of a saved data set is damaged: {error!r}"
        ) from None
    raise DataLossError(None, None, f"The description of a saved data set has the unknown kind {kind!r}.")


def to_record(element: Any) -> bytes:
    """An element as a record."""
    return b"".join([wire.field(1, serialized(t._array)) for t in components(element)])


def from_record(record: bytes, spec: Any) -> Any:
    """The element in a record; DataLossError where it is not of this specification."""
    arrays = [deserialized(record[a:b]) for _, form, a, b in wire.fields(record) if form == wire.BYTES]
    wanted = component_specs(spec)
    if len(arrays) != len(wanted) or any(a.dtype != s.dtype for a, s in zip(arrays, wanted, strict=True)):
        raise DataLossError(None, None, f"A saved element is not {spec}.")
    return from_components(spec, iter([of_array(a) for a in arrays]))


def path_of(path: Any) -> str:
    """A path as str."""
    return _path(path._array[()] if isinstance(path, EagerTensor) else path)


def compression_of(name: Any, what: str) -> str:
    """ "" or "GZIP", from TensorFlow's names for snapshots."""
    if name in (None, "", "NONE", "AUTO", "SNAPPY"):
        return ""
    if name == "GZIP":
        return "GZIP"
    raise invalid(f"{what}: compression is None, 'AUTO' or 'GZIP'; got {name!r}.")


class _Writer:
    """Writes elements to a directory, each to the file that `shard_of` names, or all to one; the description comes last."""

    def __init__(self, node: Node, path: Any, compression: str, shard_of: Any) -> None:
        self.folder, self.compression, self.shard_of = path_of(path), compression, shard_of
        self.tree = {"element_spec": described(node.spec), "compression": compression}
        self.writers: dict[int, TFRecordWriter] = {}
        self.count = 0
        os.makedirs(self.folder, exist_ok=True)

    def write(self, element: Any) -> None:
        """Appends an element; InvalidArgumentError where the number of its file is none."""
        shard = 0 if self.shard_of is None else int(self.shard_of(element)._array)
        if shard < 0:
            raise invalid(f"shard_func must give numbers of files, 0 or more; it gave {shard}.")
        writer = self.writers.get(shard)
        if writer is None:
            writer = self.writers[shard] = TFRecordWriter(_file(self.folder, shard), self.compression)
        writer.write(to_record(element))
        self.count += 1

    def finish(self) -> None:
        """Closes the files and says what they hold."""
        for writer in self.writers.values():
            writer.close()
        tree = {**self.tree, "shards": sorted(self.writers), "count": self.count}
        write_whole(os.path.join(self.folder, _SPEC), json.dumps(tree, indent=1).encode())

    def discard(self) -> None:
        """Leaves nothing behind."""
        for writer in self.writers.values():
            writer.discard()


class _File:
    """Writes elements to one file."""

    def __init__(self, path: str) -> None:
        self.writer = TFRecordWriter(path)
        self.finish, self.discard = self.writer.close, self.writer.discard

    def write(self, element: Any) -> None:
        """Appends an element."""
        self.writer.write(to_record(element))


def _file(folder: str, shard: int) -> str:
    return os.path.join(folder, f"shard-{shard:05}.tfrecord")


def sharding(node: Node, shard_func: Any, what: str) -> UserFunction | None:
    """The traced function that gives the number of an element's file; TypeError unless it is an integer scalar."""
    if shard_func is None:
        return None
    function = UserFunction(shard_func, arguments(node.spec), f"{what}: shard_func")
    found = function.spec
    if not isinstance(found, TensorSpec) or found.dtype.name != "int64" or found.shape.rank not in (0, None):
        raise TypeError(f"{what}: shard_func must give an int64 scalar; it gives {found}.")
    return function


def save(node: Node, path: Any, compression: str, shard_func: Any) -> None:
    """Writes the elements to a directory."""
    state = Pass()
    function = sharding(node, shard_func, "Dataset.save")
    writer = _Writer(node, path, compression, function and of_elements(function, node.spec, state))
    for _ in _kept(node.run(state), writer):
        pass


def _kept(elements: Iterator[Any], writer: Any) -> Iterator[Any]:
    """The elements, which are written as they come by; if they don't come to their end, nothing stays."""
    done = False
    try:
        for element in elements:
            writer.write(element)
            yield element
        done = True
    finally:
        if done:
            writer.finish()
        else:
            writer.discard()


def description(path: Any) -> dict[str, Any]:
    """The description of a saved data set; NotFoundError where there is none."""
    file = os.path.join(path_of(path), _SPEC)
    try:
        with open(file, "rb") as opened:
            data = opened.read(1 << 24)
    except FileNotFoundError:
        raise NotFoundError(None, None, f"{path_of(path)}: there is no saved data set.") from None
    try:
        tree = json.loads(data)
        shards = [int(s) for s in tree["shards"]]
        return {
            "spec": spec_from(tree["element_spec"]),
            "shards": shards,
            "compression": str(tree["compression"]),
            "count": int(tree.get("count", UNKNOWN)),
        }
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataLossError(None, None, f"{file}: it is no description of a data set: {error!r}") from None


class Shard(Node):
    """The elements of one saved file."""

    name = "_LoadDataset"

    def __init__(self, file: str, compression: str, spec: Any) -> None:
        super().__init__()
        self.file, self.compression, self.spec = file, compression, spec

    def run(self, state: Pass) -> Iterator[Any]:
        return (from_record(r, self.spec) for r in read_records(self.file, self.compression))

    def length(self) -> int:
        return UNKNOWN


def shards(path: Any, found: dict[str, Any]) -> list[Shard]:
    """The files of a saved data set."""
    folder = path_of(path)
    return [Shard(_file(folder, s), found["compression"], found["spec"]) for s in found["shards"]]


class Joined(Node):
    """Shards one after the other."""

    name = "_LoadDataset"

    def __init__(self, parts: list[Shard], spec: Any, count: int = UNKNOWN) -> None:
        super().__init__(*parts)
        self.spec, self.count = spec, count

    def run(self, state: Pass) -> Iterator[Any]:
        for part in self.inputs:
            yield from part.run(state)

    def length(self) -> int:
        return self.count if self.inputs else 0


class FileCache(Node):
    """The elements of the first complete pass, kept in a file."""

    name = "CacheDataset"

    def __init__(self, source: Node, path: Any) -> None:
        super().__init__(source)
        self.path = f"{path_of(path)}.headwater-cache"
        described(source.spec)

    def run(self, state: Pass) -> Iterator[Any]:
        if os.path.exists(self.path):
            for record in read_records(self.path):
                yield from_record(record, self.spec)
            return
        os.makedirs(os.path.dirname(self.path) or ".", exist_ok=True)
        yield from _kept(self.input.run(state), _File(self.path))


class Snapshot(Node):
    """The elements of the first complete pass, kept in a directory, also for later programs.

    `read` makes the node of the elements of those of the files.
    """

    name = "_SnapshotDataset"

    def __init__(self, source: Node, path: Any, compression: str, shard_func: Any, read: Any) -> None:
        super().__init__(source)
        self.compression = compression
        self.path = os.path.join(path_of(path), f"{fingerprint(source):016x}")
        described(source.spec)
        self.shard = sharding(source, shard_func, "Dataset.snapshot")
        self.read = read

    def run(self, state: Pass) -> Iterator[Any]:
        if os.path.exists(os.path.join(self.path, _SPEC)):
            found = description(self.path)
            if nest.flatten(found["spec"]) != nest.flatten(self.spec):
                raise invalid(
                    f"{self.path}: the snapshot holds {found['spec']}; this data set has {self.spec}."
                )
            yield from self.read(shards(self.path, found), self.spec, found["count"]).run(state)
            return
        shard_of = self.shard and of_elements(self.shard, self.spec, state)
        yield from _kept(self.input.run(state), _Writer(self, self.path, self.compression, shard_of))
