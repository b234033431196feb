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
from headwater._src.core.spec import TensorSpec
from headwater._src.core.tensor import EagerTensor, of_array
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
    if isinstance(spec, NoneTensorSpec):
        return {"kind": "none"}
    if isinstance(spec, tuple):
        return {"kind": "tuple", "parts": [described(s) for s in spec]}
    if isinstance(spec, dict):
        return {"kind": "dict", "keys": sorted(spec), "parts": [described(spec[k]) for k in sorted(spec)]}
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


def save(node: Node, path: Any, compression: str, shard_func: Any) -> None:
    """Writes the elements to a directory, the description last."""
    folder = path_of(path)
    os.makedirs(folder, exist_ok=True)
    state = Pass()
    shard_of = None
    if shard_func is not None:
        function = UserFunction(shard_func, arguments(node.spec), "Dataset.save: shard_func")
        found = function.spec
        if not isinstance(found, TensorSpec) or found.dtype.name not in ("int64", "int32"):
            raise TypeError(f"Dataset.save: shard_func must give an int64 scalar; it gives {found}.")
        shard_of = of_elements(function, node.spec, state)
    tree = {"element_spec": described(node.spec), "compression": compression, "shards": []}
    writers: dict[int, TFRecordWriter] = {}
    count = 0
    for element in node.run(state):
        shard = 0 if shard_of is None else int(shard_of(element)._array)
        writer = writers.get(shard)
        if writer is None:
            file = os.path.join(folder, f"shard-{shard:05}.tfrecord")
            writer = writers[shard] = TFRecordWriter(file, compression)
        writer.write(to_record(element))
        count += 1
    for writer in writers.values():
        writer.close()
    tree["shards"] = sorted(writers)
    tree["count"] = count
    write_whole(os.path.join(folder, _SPEC), json.dumps(tree, indent=1).encode())


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
    return [
        Shard(os.path.join(folder, f"shard-{s:05}.tfrecord"), found["compression"], found["spec"])
        for s in found["shards"]
    ]


class Joined(Node):
    """Shards one after the other."""

    name = "_LoadDataset"

    def __init__(self, parts: list[Shard], spec: Any) -> None:
        super().__init__(*parts)
        self.spec = spec

    def run(self, state: Pass) -> Iterator[Any]:
        for part in self.inputs:
            yield from part.run(state)

    def length(self) -> int:
        return UNKNOWN if self.inputs else 0


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
        writer = TFRecordWriter(self.path)
        done = False
        try:
            for element in self.input.run(state):
                writer.write(to_record(element))
                yield element
            done = True
        finally:
            if done:
                writer.close()
            else:
                writer.discard()


class Snapshot(Node):
    """The elements of the first complete pass, kept in a directory, also for later programs."""

    name = "_SnapshotDataset"

    def __init__(self, source: Node, path: Any, compression: str) -> None:
        super().__init__(source)
        self.path, self.compression = path_of(path), compression
        described(source.spec)

    def run(self, state: Pass) -> Iterator[Any]:
        if os.path.exists(os.path.join(self.path, _SPEC)):
            found = description(self.path)
            if nest.flatten(found["spec"]) != nest.flatten(self.spec):
                raise invalid(
                    f"{self.path}: the snapshot holds {found['spec']}; this data set has {self.spec}."
                )
            yield from Joined(shards(self.path, found), self.spec).run(state)
            return
        os.makedirs(self.path, exist_ok=True)
        writer = TFRecordWriter(os.path.join(self.path, "shard-00000.tfrecord"), self.compression)
        done = False
        try:
            for element in self.input.run(state):
                writer.write(to_record(element))
                yield element
            done = True
        finally:
            if done:
                writer.close()
                tree = {"element_spec": described(self.spec), "compression": self.compression, "shards": [0]}
                write_whole(os.path.join(self.path, _SPEC), json.dumps(tree, indent=1).encode())
            else:
                writer.discard()
