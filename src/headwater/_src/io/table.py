"""Sorted tables of byte strings in files, in the format of LevelDB, which TensorFlow keeps the index of a checkpoint in.

A file is a run of blocks, then a block that indexes them, then a footer of 48 bytes. In a block each key is stored as the number
of bytes that it shares with the key before it and the rest; every 16th key is whole, and the places of the whole ones end the
block. After each block come a byte for its compression and its masked CRC-32C. (github.com/google/leveldb, doc/table_format.md)
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

from headwater._src.base.errors import DataLossError, UnimplementedError
from headwater._src.io import wire
from headwater._src.io.crc import crc32c, masked

MAX_TABLE = 1 << 30
"""No table may be longer, whatever a file says; nor may all its keys, written out."""
MAX_KEY = 1 << 16
"""No key may be longer."""
_MAGIC = 0xDB4775248B80FB57
_FOOTER = 48
_TRAILER = 5
_BLOCK = 1 << 18
"""TensorFlow's size of blocks."""
_WHOLE_EVERY = 16
_U32 = struct.Struct("<I")


# -- writing --------------------------------------------------------------------------------------------------------------


class _Block:
    """The bytes of a block that is being filled."""

    def __init__(self, whole_every: int) -> None:
        self.whole_every = whole_every
        self.content = bytearray()
        self.restarts = [0]
        self.count = 0
        self.last = b""

    def add(self, key: bytes, value: bytes) -> None:
        shared = 0
        if self.count == self.whole_every:
            self.restarts.append(len(self.content))
            self.count = 0
        elif self.content:
            shared = _shared(self.last, key)
        self.content += wire.varint(shared) + wire.varint(len(key) - shared) + wire.varint(len(value))
        self.content += key[shared:] + value
        self.last = key
        self.count += 1

    def size(self) -> int:
        return len(self.content) + 4 * len(self.restarts) + 4

    def finish(self) -> bytes:
        tail = struct.pack(f"<{len(self.restarts) + 1}I", *self.restarts, len(self.restarts))
        return bytes(self.content) + tail


def _shared(a: bytes, b: bytes) -> int:
    """How many bytes two strings have in common at their beginnings."""
    most = min(len(a), len(b))
    if a[:most] == b[:most]:
        return most
    return next(i for i in range(most) if a[i] != b[i])


def _between(low: bytes, high: bytes) -> bytes:
    """A short key that is at least `low` and less than `high`."""
    at = _shared(low, high)
    if at < min(len(low), len(high)) and low[at] < 0xFF and low[at] + 1 < high[at]:
        return low[:at] + bytes([low[at] + 1])
    return low


def _after(key: bytes) -> bytes:
    """A short key that is at least `key`."""
    for at, byte in enumerate(key):
        if byte != 0xFF:
            return key[:at] + bytes([byte + 1])
    return key


def table_bytes(entries: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The file of a table.

    Args:
      entries: pairs of key and value, in the ascending order of their keys.
    """
    out = bytearray()

    def put(block: _Block) -> bytes:
        content = block.finish() + b"\0"
        handle = wire.varint(len(out)) + wire.varint(len(content) - 1)
        out.extend(content + _U32.pack(masked(crc32c(content))))
        return handle

    index, block, handle = _Block(1), _Block(_WHOLE_EVERY), b""
    for key, value in entries:
        if handle:
            index.add(_between(block.last, key), handle)
            block, handle = _Block(_WHOLE_EVERY), b""
        block.add(key, value)
        if block.size() >= _BLOCK:
            handle = put(block)
    if not handle and block.content:
        handle = put(block)
    empty = put(_Block(_WHOLE_EVERY))
    if handle:
        index.add(_after(block.last), handle)
    footer = empty + put(index)
    return bytes(out + footer.ljust(_FOOTER - 8, b"\0") + struct.pack("<Q", _MAGIC))


# -- reading --------------------------------------------------------------------------------------------------------------


def _damaged(where: str, what: str) -> DataLossError:
    return DataLossError(None, None, f"{where} can't be read: {what}. The file is damaged, or no table.")


def read_table(data: bytes, where: str) -> Iterator[tuple[bytes, bytes]]:
    """The pairs of key and value of a table, in order.

    Args:
      data: the whole file.
      where: its name, for messages.

    Raises:
      DataLossError: it is no table, or a damaged one.
      UnimplementedError: a block is compressed.
    """
    if len(data) < _FOOTER or data[-8:] != struct.pack("<Q", _MAGIC):
        raise _damaged(where, "it does not end as tables do")
    if len(data) > MAX_TABLE:
        raise _damaged(where, f"it has {len(data)} bytes; {MAX_TABLE} are the most")
    try:
        at = len(data) - _FOOTER
        for _ in range(2):  # where the block about filters is, of which TensorFlow has none
            _, at = wire.read_varint(data, at)
        start, at = wire.read_varint(data, at)
        size, at = wire.read_varint(data, at)
        total = 0
        for _, handle in _entries(_block(data, start, size, where), where):
            start, at = wire.read_varint(handle, 0)
            size, at = wire.read_varint(handle, at)
            for key, value in _entries(_block(data, start, size, where), where):
                total += len(key) + len(value)
                if total > MAX_TABLE:
                    raise _damaged(where, f"its content has more than {MAX_TABLE} bytes")
                yield key, value
    except DataLossError as error:
        if str(error).startswith(where):
            raise
        raise _damaged(where, str(error)) from None


def _block(data: bytes, start: int, size: int, where: str) -> bytes:
    """The content of a block, checked."""
    end = start + size
    if end + _TRAILER > len(data) - _FOOTER:
        raise _damaged(where, f"a block of {size} bytes at {start} does not fit into it")
    if masked(crc32c(data[start : end + 1])) != _U32.unpack_from(data, end + 1)[0]:
        raise _damaged(where, f"the block at byte {start} does not fit its checksum")
    if data[end]:
        raise UnimplementedError(
            None, None, f"{where}: the block at byte {start} is compressed (kind {data[end]}), which TensorFlow's "
            "checkpoints are not; headwater reads blocks without compression.",
        )  # fmt: skip
    return data[start:end]


def _entries(block: bytes, where: str) -> Iterator[tuple[bytes, bytes]]:
    """The pairs of key and value in a block."""
    end = len(block) - 4 - 4 * _U32.unpack_from(block, len(block) - 4)[0] if len(block) >= 4 else -1
    if end < 0:
        raise _damaged(where, "a block is too short")
    at, key = 0, b""
    while at < end:
        shared, at = wire.read_varint(block, at)
        rest, at = wire.read_varint(block, at)
        length, at = wire.read_varint(block, at)
        if shared > len(key) or at + rest + length > end or shared + rest > MAX_KEY:
            raise _damaged(where, "a key or value does not fit into its block")
        key = key[:shared] + block[at : at + rest]
        at += rest + length
        yield key, block[at - length : at]
