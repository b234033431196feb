"""TFRecord files: records of bytes, each with its length and the checksums of both (masked CRC-32C), all little-endian."""

from __future__ import annotations

import contextlib
import itertools
import os
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from headwater._src.base.compat import as_bytes, path_to_str
from headwater._src.base.errors import DataLossError, FailedPreconditionError, invalid
from headwater._src.base.exporting import export
from headwater._src.io.crc import crc32c, crcs, masked, masked_all, misfits
from headwater._src.io.gfile import _path, _translated

MAX_RECORD = 1 << 30
"""No record may be longer, whatever a file says."""
_CHUNK = 1 << 18
_MOST = 1 << 21
"""A file is read in pieces of so many bytes: the first and, where it goes on, the largest."""
_MOST_HELD = 2048
_LENGTH = struct.Struct("<Q")
_HEAD = struct.Struct("<QI")


class TFRecordCompressionType:
    """How a file of records is compressed."""

    NONE = 0
    ZLIB = 1
    GZIP = 2


def compression_name(given: Any, what: str) -> str:
    """ "" or "ZLIB" or "GZIP"; ValueError for others."""
    name = given.decode() if isinstance(given, bytes) else "" if given is None else given
    if name not in ("", "ZLIB", "GZIP"):
        raise ValueError(f"{what}: compression is '', 'ZLIB' or 'GZIP'; got {given!r}.")
    return name


@export("io.TFRecordOptions")
class TFRecordOptions:
    """How `tf.io.TFRecordWriter` writes.

    Args:
      compression_type: "", "ZLIB" or "GZIP".
      compression_level: 0 to 9, or None for zlib's default.
      others: accepted; they are settings of TensorFlow's buffers.

    Raises:
      ValueError: another compression type.
    """

    compression_type_map = {
        TFRecordCompressionType.ZLIB: "ZLIB",
        TFRecordCompressionType.GZIP: "GZIP",
        TFRecordCompressionType.NONE: "",
    }

    def __init__(
        self, compression_type: Any = None, flush_mode: Any = None, input_buffer_size: Any = None,
        output_buffer_size: Any = None, window_bits: Any = None, compression_level: Any = None,
        compression_method: Any = None, mem_level: Any = None, compression_strategy: Any = None,
    ) -> None:  # fmt: skip
        self.compression_type = self.get_compression_type_string(compression_type)
        self.flush_mode, self.input_buffer_size = flush_mode, input_buffer_size
        self.output_buffer_size, self.window_bits = output_buffer_size, window_bits
        self.compression_level, self.compression_method = compression_level, compression_method
        self.mem_level, self.compression_strategy = mem_level, compression_strategy

    @classmethod
    def get_compression_type_string(cls, options: Any) -> str:
        """The compression that options, a name or a number stand for."""
        if isinstance(options, TFRecordOptions):
            return options.compression_type
        if not options:
            return ""
        if isinstance(options, int):
            if options not in cls.compression_type_map:
                raise ValueError(f"tf.io.TFRecordOptions: {options} is no compression type.")
            return cls.compression_type_map[options]
        return compression_name(options, "tf.io.TFRecordOptions")


class _Plain:
    def __init__(self, file: Any) -> None:
        self.file = file

    def write(self, data: bytes) -> None:
        self.file.write(data)

    def flush(self) -> None:
        """Nothing is held back."""

    finish = flush


class _Deflated:
    def __init__(self, file: Any, name: str, level: int | None) -> None:
        self.file = file
        self.stream = zlib.compressobj(-1 if level is None else level, wbits=31 if name == "GZIP" else 15)

    def write(self, data: bytes) -> None:
        self.file.write(self.stream.compress(data))

    def flush(self) -> None:
        self.file.write(self.stream.flush(zlib.Z_SYNC_FLUSH))

    def finish(self) -> None:
        self.file.write(self.stream.flush())


@export("io.TFRecordWriter")
class TFRecordWriter:
    """Writes records to a file, which appears under its name, whole up to then, with the first `flush` or with `close`.

    Args:
      path: the file's name; a file that is there is replaced.
      options: "", "ZLIB", "GZIP", or `tf.io.TFRecordOptions`.

    >>> with tf.io.TFRecordWriter("words.tfrecord") as writer:
    ...     writer.write(b"one")
    """

    def __init__(self, path: Any, options: Any = None) -> None:
        options = options if isinstance(options, TFRecordOptions) else TFRecordOptions(options)
        self._name = _path(path_to_str(path))
        self._temporary: str | None = f"{self._name}.{os.getpid()}.{os.urandom(8).hex()}.tmp"
        self._file: Any = None
        with _translated():
            self._file = open(self._temporary, "xb")  # noqa: SIM115
        self._held: list[bytes] = []
        self._bytes = 0
        name = options.compression_type
        self._out: Any = (
            _Deflated(self._file, name, options.compression_level) if name else _Plain(self._file)
        )

    def write(self, record: Any) -> None:
        """Appends a record, bytes or text."""
        if self._file is None:
            raise FailedPreconditionError(None, None, f"{self._name}: the writer is closed.")
        data = record if record.__class__ is bytes else as_bytes(record)
        if len(data) > MAX_RECORD:
            raise invalid(f"{self._name}: a record of {len(data)} bytes; {MAX_RECORD} are the most.")
        self._held += (_LENGTH.pack(len(data)), data)
        self._bytes += len(data)
        if self._bytes > _CHUNK or len(self._held) >= _MOST_HELD:
            self._write_held()

    def _write_held(self) -> None:
        """Hands on the lengths and records that are held, each with its checksum: those of many are computed at once."""
        checks = masked_all(crcs(self._held)).astype("<u4")
        pairs = zip(self._held, checks.view("S4").tolist(), strict=True)
        self._out.write(b"".join([part for data, check in pairs for part in (data, check.ljust(4, b"\0"))]))
        self._held, self._bytes = [], 0

    def flush(self) -> None:
        """Makes what was written so far readable under the file's name."""
        if self._file is not None:
            self._write_held()
            self._out.flush()
            self._publish()

    def _publish(self) -> None:
        with _translated():
            self._file.flush()
            os.fsync(self._file.fileno())
            if self._temporary is not None:
                os.replace(self._temporary, self._name)
                self._temporary = None

    def close(self) -> None:
        """Writes what is left and closes the file."""
        if self._file is not None:
            self._write_held()
            self._out.finish()
            self._publish()
            self._file.close()
            self._file = None

    def discard(self) -> None:
        """Closes the file without giving it its name; what `flush` has published stays."""
        if self._file is not None:
            self._file.close()
            self._file = None
            if self._temporary is not None:
                with contextlib.suppress(OSError):
                    os.unlink(self._temporary)

    def __enter__(self) -> TFRecordWriter:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_file", None) is not None:
            with contextlib.suppress(Exception):
                self.close()


# -- reading ----------------------------------------------------------------------------------------------------------


def pieces(path: str, compression: str = "", size: int = _CHUNK) -> Iterator[bytes]:
    """The content of a file, decompressed, in pieces.

    Raises:
      NotFoundError, PermissionDeniedError: the file can't be read.
      DataLossError: it is not compressed as said, or cut off.
    """
    with _translated():
        file = open(_path(path), "rb")  # noqa: SIM115
    with file:
        if not compression:
            while data := file.read(size):
                yield data
            return
        stream = zlib.decompressobj(wbits=47 if compression == "GZIP" else 15)
        try:
            while data := file.read(size):
                while data:
                    out = stream.decompress(data, size)
                    if out:
                        yield out
                    data = stream.unconsumed_tail
                    if stream.eof:
                        data = stream.unused_data
                        stream = zlib.decompressobj(wbits=47 if compression == "GZIP" else 15)
            if out := stream.flush():
                yield out
        except zlib.error as error:
            raise DataLossError(
                None, None, f"{path}: it is no {compression} file, or a damaged one: {error}"
            ) from None


class _Inflated:
    """The content of a compressed file, read into buffers."""

    def __init__(self, path: str, compression: str) -> None:
        self.pieces = pieces(path, compression)
        self.left = memoryview(b"")

    def readinto(self, target: memoryview) -> int:
        if not self.left:
            self.left = memoryview(next(self.pieces, b""))
        count = min(len(target), len(self.left))
        target[:count] = self.left[:count]
        self.left = self.left[count:]
        return count


@contextlib.contextmanager
def _opened(path: str, compression: str) -> Iterator[Any]:
    """What has the content of a file: `readinto` fills a buffer and says how far."""
    if compression:
        yield _Inflated(path, compression)
        return
    with _translated():
        file = open(_path(path), "rb", buffering=0)  # noqa: SIM115
    with file:
        yield file


def read_records(path: str, compression: str = "") -> Iterator[bytes]:
    """The records of a file in order; DataLossError where it is damaged or cut off."""
    return itertools.chain.from_iterable(_lists(path, compression))


def _lists(path: str, compression: str) -> Iterator[list[bytes]]:
    buffer = bytearray(_CHUNK)
    have = offset = 0
    with _opened(path, compression) as file:
        while count := file.readinto(memoryview(buffer)[have:]):
            have += count
            records, used, error = _split(buffer, have, path, offset)
            yield records
            if error is not None:
                raise error
            rest = buffer[used:have]
            if have == len(buffer) and (used == 0 or have < _MOST):  # a longer record, or the file goes on
                buffer = bytearray(2 * have)
            buffer[: len(rest)] = rest
            offset += used
            have -= used
    if have:
        raise DataLossError(
            None, None, f"{path}: the record at byte {offset} is cut off at the end of the file."
        )


def _split(data: bytearray, size: int, path: str, offset: int) -> tuple[list[bytes], int, Exception | None]:
    """The whole records in `data[:size]`, which are overwritten, how many bytes they take, and what is wrong with the one after them."""
    at = 0
    starts: list[int] = []
    wrong = None
    unpack = _LENGTH.unpack_from
    while at + 12 <= size:
        end = at + 16 + unpack(data, at)[0]
        if end > size:
            wrong = _cut_off(data, at, path, offset)
            break
        starts.append(at)
        at = end
    if not starts:
        return [], at, wrong
    ends = [*starts[1:], at]
    view = memoryview(data)
    records = [view[a + 12 : b - 4].tobytes() for a, b in zip(starts, ends, strict=True)]
    bad = _damaged(np.frombuffer(data, np.uint8, at), starts, ends, records)
    if bad is not None:
        wrong = DataLossError(
            None,
            None,
            f"{path}: the record at byte {offset + starts[bad]} does not fit its checksum; the file is damaged.",
        )
        return records[:bad], starts[bad], wrong
    return records, at, wrong


def _cut_off(data: bytearray, at: int, path: str, offset: int) -> Exception | None:
    """What is wrong with a record that does not end in `data`; None where the rest may follow."""
    length, check = _HEAD.unpack_from(data, at)
    damaged = masked(crc32c(bytes(data[at : at + 8]))) != check
    if not damaged and length <= MAX_RECORD:
        return None
    what = (
        "its length does not fit its checksum"
        if damaged
        else f"it has {length} bytes; {MAX_RECORD} are the most"
    )
    return DataLossError(None, None, f"{path}: the record at byte {offset + at} can't be read: {what}.")


def _damaged(content: np.ndarray, starts: list[int], ends: list[int], records: list[bytes]) -> int | None:
    """The number of the first record that does not fit its checksums; overwrites `content`."""
    first, last = np.array(starts), np.array(ends)
    bounds = np.stack([first, first + 12, last], axis=1)
    stored = misfits(content, bounds[:, :-1].reshape(-1), bounds[:, 1:].reshape(-1))
    if stored is None:
        return None
    guarded = [data for r in records for data in (_LENGTH.pack(len(r)), r)]
    return int(np.argmin(stored == masked_all(crcs(guarded)))) // 2
