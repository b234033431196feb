"""Bundles of named tensors in files, as TensorFlow keeps checkpoints and the variables of SavedModels.

`prefix.index` is a table (table.py): under the empty key the number of data files, under each name dtype, shape, place and
checksum of a tensor, as protocol buffers. `prefix.data-00000-of-00001` and its like hold the tensors' bytes, little-endian.
A tensor of strings is the lengths as varints, a checksum of the lengths, then the strings.
"""

from __future__ import annotations

import contextlib
import math
import os
import struct
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from headwater._src.base import dtypes
from headwater._src.base.dtypes import DType
from headwater._src.base.errors import DataLossError, NotFoundError, UnimplementedError
from headwater._src.io import wire
from headwater._src.io.crc import crc32c, masked
from headwater._src.io.gfile import _path, _translated, replacing
from headwater._src.io.raw import shape_bytes, shape_of
from headwater._src.io.table import MAX_TABLE, read_table, table_bytes
from headwater._src.ops import strings_flat

_U32 = struct.Struct("<I")
_HEADER = b"\x08\x01\x1a\x02\x08\x01"
"""One data file, little-endian, version 1 of the format."""
_NO_BYTES = ("resource", "variant")


class Entry(NamedTuple):
    """What the index knows of a tensor: what it is, and where its bytes are."""

    dtype: DType
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int
    crc: int
    sliced: bool = False


# -- writing --------------------------------------------------------------------------------------------------------------


def write_bundle(prefix: str, tensors: Mapping[str, np.ndarray]) -> None:
    """Writes tensors to `prefix.data-00000-of-00001` and `prefix.index`, in the order given; readers see whole files only.

    Args:
      prefix: what the names of the files begin with; directories on the path are made.
      tensors: arrays by name; arrays of objects hold bytes.

    Raises:
      NotFoundError, PermissionDeniedError, ResourceExhaustedError: the files can't be written.
    """
    prefix = _path(prefix)
    offset = 0
    rows = [(b"", _HEADER)]
    with replacing(prefix + ".data-00000-of-00001") as file:
        for name, array in tensors.items():
            dtype = dtypes.as_dtype(array.dtype)
            if dtype is dtypes.string:
                content: Any
                content, crc = _string_bytes(array)
            else:
                content = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
                crc = crc32c(content.data)
            file.write(content)
            entry = Entry(dtype, array.shape, 0, offset, len(content), masked(crc))
            rows.append((name.encode(), _entry_bytes(entry)))
            offset += entry.size
    with replacing(prefix + ".index") as file:
        file.write(table_bytes(sorted(rows)))


def _entry_bytes(entry: Entry) -> bytes:
    out = b"\x08" + wire.varint(entry.dtype.as_datatype_enum) + wire.field(2, shape_bytes(entry.shape))
    for key, value in ((b"\x18", entry.shard), (b"\x20", entry.offset), (b"\x28", entry.size)):
        if value:
            out += key + wire.varint(value)
    return out + b"\x35" + _U32.pack(entry.crc)


def _string_bytes(array: np.ndarray) -> tuple[bytes, int]:
    values = array.reshape(-1).tolist()
    sizes = strings_flat.sizes_of(values)
    seen, check = _lengths_check(sizes)
    content = check + b"".join(values)
    return wire.varints(sizes) + content, crc32c(seen + content)


def _lengths_check(sizes: np.ndarray) -> tuple[bytes, bytes]:
    """Lengths as the checksums see them, and their checksum as it is stored."""
    if sizes.max(initial=0) <= 0xFFFFFFFF:
        seen = sizes.astype("<u4").tobytes()
    else:
        seen = b"".join([n.to_bytes(4 if n <= 0xFFFFFFFF else 8, "little") for n in sizes.tolist()])
    return seen, _U32.pack(masked(crc32c(seen)))


# -- reading --------------------------------------------------------------------------------------------------------------


class BundleReader:
    """Reads the tensors of a bundle; the index is read at once, tensors when they are asked for.

    Args:
      prefix: what the names of the files begin with.

    Raises:
      NotFoundError: there is no index.
      DataLossError: the index is damaged.
      UnimplementedError: the bundle is compressed or big-endian.
    """

    def __init__(self, prefix: str) -> None:
        self.prefix = _path(prefix)
        name = self.prefix + ".index"
        with _translated(), open(name, "rb") as file:
            data = file.read(MAX_TABLE + 1)
        self.shards = 0
        self.entries: dict[str, Entry] = {}
        try:
            for key, value in read_table(data, name):
                if not key:
                    self._read_header(value, name)
                elif key[0]:  # those that begin with zero are parts of a tensor that has an entry too
                    self.entries[key.decode()] = _entry(value)
        except UnicodeDecodeError:
            raise DataLossError(None, None, f"{name}: a tensor's name is no UTF-8.") from None
        if not self.shards:
            raise DataLossError(None, None, f"{name}: it does not say how many data files there are.")

    def _read_header(self, data: bytes, name: str) -> None:
        endianness = 0
        for key, form, value, _ in wire.fields(data):
            if key == 1 and form == wire.VARINT:
                self.shards = value
            elif key == 2 and form == wire.VARINT:
                endianness = value
        if endianness:
            raise UnimplementedError(None, None, f"{name}: the tensors are big-endian, which is not read.")

    def __contains__(self, key: str) -> bool:
        return key in self.entries

    def entry(self, key: str) -> Entry:
        """What the index knows of a tensor; NotFoundError where it has none of that name."""
        found = self.entries.get(key)
        if found is None:
            raise NotFoundError(
                None, None, f"Key {key} not found in checkpoint {self.prefix}; tf.train.list_variables shows its keys."
            )  # fmt: skip
        return found

    def tensor(self, key: str) -> np.ndarray:
        """The tensor of a name; errors as `tensors`."""
        return next(self.tensors([key]))

    def string(self, key: str) -> bytes:
        """The only string in the tensor of a name; DataLossError where it holds something else, others as `tensors`."""
        value = self.tensor(key)
        if value.dtype.kind != "O" or value.ndim:
            raise DataLossError(None, None, f"{self.prefix}: the tensor {key} should be one string.")
        return bytes(value[()])

    def tensors(self, keys: Iterable[str]) -> Iterator[np.ndarray]:
        """The tensors of several names, one after the other.

        Raises:
          NotFoundError: a name or a data file is missing.
          DataLossError: a tensor does not fit its checksum.
          UnimplementedError: a tensor is stored in parts, or as a variant.
        """
        with contextlib.ExitStack() as stack:
            files: dict[int, Any] = {}
            for key in keys:
                entry = self._readable(key)
                if entry.shard not in files:
                    with _translated():
                        name = f"{self.prefix}.data-{entry.shard:05d}-of-{self.shards:05d}"
                        files[entry.shard] = stack.enter_context(open(name, "rb"))
                yield self._tensor(key, entry, files[entry.shard])

    def _readable(self, key: str) -> Entry:
        entry = self.entry(key)
        if entry.sliced:
            raise UnimplementedError(
                None, None, f"{self.prefix}: {key} is stored in parts (a partitioned variable), which are not read."
            )  # fmt: skip
        if entry.dtype.name in _NO_BYTES:
            raise UnimplementedError(
                None, None, f"{self.prefix}: {key} is a {entry.dtype.name}, an object of TensorFlow's runtime that "
                "headwater can't take over (the state of an iterator, for example).",
            )  # fmt: skip
        return entry

    def _tensor(self, key: str, entry: Entry, file: Any) -> np.ndarray:
        count = math.prod(entry.shape)
        if entry.dtype is dtypes.string:
            fits = count + 4 <= entry.size
        else:
            fits = count * entry.dtype.np.itemsize == entry.size
        if not fits or entry.offset + entry.size > os.fstat(file.fileno()).st_size:
            raise self._lost(
                key, file, f"{entry.size} bytes at {entry.offset} can't be {entry.dtype.name} of shape {entry.shape}"
            )  # fmt: skip
        content: Any = np.empty(entry.size, np.uint8)
        file.seek(entry.offset)
        if file.readinto(content) != entry.size:
            raise self._lost(key, file, "the file ends too early")
        if entry.dtype is dtypes.string:
            return self._strings(key, entry, file, content.tobytes(), count)
        if masked(crc32c(content.data)) != entry.crc:
            raise self._lost(key, file, "its bytes do not fit their checksum")
        return content.view(entry.dtype.np).reshape(entry.shape)

    def _strings(self, key: str, entry: Entry, file: Any, data: bytes, count: int) -> np.ndarray:
        try:
            sizes, at = wire.read_varints(data, count)
        except DataLossError as error:
            raise self._lost(key, file, str(error)) from None
        most = len(data) - at - 4
        if ((sizes < 0) | (sizes > most)).any() or int(sizes.sum()) != most:
            raise self._lost(key, file, "the lengths of its strings do not fit its size")
        seen, check = _lengths_check(sizes)
        if data[at : at + 4] != check or masked(crc32c(seen + data[at:])) != entry.crc:
            raise self._lost(key, file, "its bytes do not fit their checksum")
        return strings_flat.pieces(data, strings_flat.bounds(sizes)[:-1] + at + 4, sizes).reshape(entry.shape)

    def _lost(self, key: str, file: Any, what: str) -> DataLossError:
        return DataLossError(None, None, f"{file.name}: the tensor {key} can't be read: {what}.")


def _entry(data: bytes) -> Entry:
    number, crc, sliced = 0, 0, False
    shape: tuple[int, ...] = ()
    places = {3: 0, 4: 0, 5: 0}
    for key, form, a, b in wire.fields(data):
        if key == 1 and form == wire.VARINT:
            number = a
        elif key == 2 and form == wire.BYTES:
            shape = tuple(shape_of(data, a, b))
        elif key in places and form == wire.VARINT:
            places[key] = a
        elif key == 6 and form == wire.FIXED32:
            crc = _U32.unpack_from(data, a)[0]
        elif key == 7:
            sliced = True
    try:
        dtype = dtypes.as_dtype(number)
    except TypeError:
        raise wire.damaged(f"it names the unknown dtype {number}") from None
    return Entry(dtype, shape, places[3], places[4], places[5], crc, sliced)
