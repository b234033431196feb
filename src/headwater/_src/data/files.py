"""Data sets of what is in files: lines, records, records of fixed length, comma-separated values."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from headwater._src.base.errors import DataLossError, invalid
from headwater._src.base.exporting import export
from headwater._src.base.text import describe
from headwater._src.core.convert import convert, host_int
from headwater._src.core.spec import TensorSpec
from headwater._src.core.tensor import EagerTensor, of_array
from headwater._src.data.columns import Columns, Read
from headwater._src.data.dataset import DatasetV2
from headwater._src.data.functions import Pass
from headwater._src.data.nodes import UNKNOWN, Node, Slices
from headwater._src.io.raw import csv_columns, csv_value, split_csv
from headwater._src.io.records import compression_name, pieces, read_records
from headwater._src.ops.layout import reshape

MAX_LINE = 1 << 30
_STRING = TensorSpec([], "string")


def _names(filenames: Any, what: str) -> Node:
    """The node of file names: a data set of them, or a tensor of any shape."""
    if isinstance(filenames, DatasetV2):
        spec = filenames.element_spec
        if not isinstance(spec, TensorSpec) or spec.dtype.name != "string":
            raise TypeError(f"{what}: a data set of file names has string scalars; got {spec}.")
        return filenames._node
    tensor = convert([str(f) if hasattr(f, "__fspath__") else f for f in filenames] if isinstance(filenames, list) else
                     str(filenames) if hasattr(filenames, "__fspath__") else filenames)  # fmt: skip
    if tensor.dtype.name != "string":
        raise TypeError(f"{what}: file names are strings; got {describe(tensor)}.")
    return Slices(reshape(tensor, [-1]))


def _string(value: Any) -> str:
    if isinstance(value, EagerTensor):
        value = value._array[()]
    return value.decode() if isinstance(value, bytes) else "" if value is None else value


class FileNode(Node):
    """What files hold, one file after the other, or several in turns."""

    def __init__(self, name: str, names: Node, compression: Any, parallel: Any = None) -> None:
        super().__init__(names)
        self.name = name
        self.compression = compression_name(_string(compression), f"tf.data.{name}")
        self.parallel = (
            None if parallel is None else host_int(parallel, f"tf.data.{name}: num_parallel_reads")
        )
        self.spec: Any = _STRING

    def read(self, path: str) -> Iterator[bytes]:
        """The content of one file."""
        raise NotImplementedError

    def run(self, state: Pass) -> Iterator[Any]:
        return map(_tensor, self.strings(state))

    def columns(self, state: Pass) -> Columns | None:
        return Read(iter(()) if state.probing else self.strings(state))

    def strings(self, state: Pass) -> Iterator[bytes]:
        """What the files hold."""
        paths = (n._array[()].decode("utf-8", "surrogateescape") for n in self.input.run(state))
        if self.parallel is None or self.parallel in (0, 1):
            return itertools.chain.from_iterable(map(self.read, paths))
        return self._in_turns(paths)

    def _in_turns(self, paths: Iterator[str]) -> Iterator[Any]:
        count = 4 if self.parallel == -1 else self.parallel
        open_files: list[Any] = [self.read(p) for p in itertools.islice(paths, count)]
        while open_files:
            for i, file in enumerate(open_files):
                value = next(file, None)
                if value is None:
                    path = next(paths, None)
                    open_files[i] = None if path is None else self.read(path)
                else:
                    yield value
            open_files = [f for f in open_files if f is not None]

    def length(self) -> int:
        return UNKNOWN


def _tensor(value: bytes) -> EagerTensor:
    out = np.empty((), object)
    out[()] = value
    return of_array(out)


class Records(FileNode):
    """The records of TFRecord files."""

    def read(self, path: str) -> Iterator[bytes]:
        return read_records(path, self.compression)


class Lines(FileNode):
    """The lines of text files, without their ends and without any carriage return."""

    def read(self, path: str) -> Iterator[bytes]:
        for line in lines_of(path, self.compression):
            yield line.replace(b"\r", b"") if b"\r" in line else line


def lines_of(path: str, compression: str) -> Iterator[bytes]:
    """The lines of a file without their ends, \\n or \\r\\n."""
    rest = b""
    for piece in pieces(path, compression):
        lines = (rest + piece).split(b"\n")
        rest = lines.pop()
        if len(rest) > MAX_LINE:
            raise DataLossError(None, None, f"{path}: a line is longer than {MAX_LINE} bytes.")
        for line in lines:
            yield line[:-1] if line.endswith(b"\r") else line
    if rest:
        yield rest[:-1] if rest.endswith(b"\r") else rest


class FixedRecords(FileNode):
    """Pieces of files of one length."""

    ints = ("size", "header", "footer")

    def __init__(
        self, name: str, names: Node, compression: Any, parallel: Any, sizes: tuple[Any, Any, Any]
    ) -> None:
        super().__init__(name, names, compression, parallel)
        self.size, self.header, self.footer = sizes

    def read(self, path: str) -> Iterator[bytes]:
        data, skip = b"", self.header
        total = 0
        for piece in pieces(path, self.compression):
            total += len(piece)
            data += piece
            if skip:
                cut = min(skip, len(data))
                data, skip = data[cut:], skip - cut
            count = max(len(data) - self.footer, 0) // self.size
            for i in range(count):
                yield data[i * self.size : (i + 1) * self.size]
            data = data[count * self.size :]
        if len(data) != self.footer or skip:
            raise invalid(
                f"{path}: {total} bytes are no header of {self.header}, records of {self.size} and footer of {self.footer}."
            )


@export("data.TextLineDataset")
class TextLineDatasetV2(DatasetV2):
    """The lines of text files.

    Args:
      filenames: a string, a tensor or a data set of strings.
      compression_type: "", "ZLIB" or "GZIP".
      buffer_size: accepted for compatibility.
      num_parallel_reads: read so many files in turns.
    """

    def __init__(
        self, filenames: Any, compression_type: Any = None, buffer_size: Any = None, num_parallel_reads: Any = None,
        name: str | None = None,
    ) -> None:  # fmt: skip
        names = _names(filenames, "tf.data.TextLineDataset")
        super().__init__(Lines("TextLineDatasetV2", names, compression_type, num_parallel_reads))


@export("data.TFRecordDataset")
class TFRecordDatasetV2(DatasetV2):
    """The records of TFRecord files; DataLossError, on iteration, where one is damaged.

    Args:
      filenames: a string, a tensor or a data set of strings.
      compression_type: "", "ZLIB" or "GZIP".
      buffer_size: accepted for compatibility.
      num_parallel_reads: read so many files in turns.
    """

    def __init__(
        self, filenames: Any, compression_type: Any = None, buffer_size: Any = None, num_parallel_reads: Any = None,
        name: str | None = None,
    ) -> None:  # fmt: skip
        names = _names(filenames, "tf.data.TFRecordDataset")
        super().__init__(Records("TFRecordDatasetV2", names, compression_type, num_parallel_reads))


@export("data.FixedLengthRecordDataset")
class FixedLengthRecordDatasetV2(DatasetV2):
    """Pieces of binary files, each `record_bytes` long.

    Args:
      filenames: a string, a tensor or a data set of strings.
      record_bytes: the length of a record.
      header_bytes, footer_bytes: what is left out at the ends of a file.
      compression_type: "", "ZLIB" or "GZIP".
    """

    def __init__(
        self, filenames: Any, record_bytes: Any, header_bytes: Any = None, footer_bytes: Any = None, buffer_size: Any = None,
        compression_type: Any = None, num_parallel_reads: Any = None, name: str | None = None,
    ) -> None:  # fmt: skip
        what = "tf.data.FixedLengthRecordDataset"
        sizes = [host_int(0 if n is None else n, what) for n in (record_bytes, header_bytes, footer_bytes)]
        if sizes[0] <= 0 or min(sizes) < 0:
            raise invalid(
                f"{what}: record_bytes must be positive, header and footer not negative; got {sizes}."
            )
        names = _names(filenames, what)
        node = FixedRecords(
            "FixedLengthRecordDatasetV2", names, compression_type, num_parallel_reads, tuple(sizes)
        )  # type: ignore[arg-type]
        super().__init__(node)


# -- comma-separated values -------------------------------------------------------------------------------------------


class CsvRows(Node):
    """The records of files of comma-separated values, as tuples of scalars."""

    name = "CsvDatasetV2"

    def __init__(self, names: Node, columns: list[Any], header: bool, how: tuple[Any, ...]) -> None:
        super().__init__(names)
        self.table, self.header, self.how = columns, header, how
        self.spec = tuple(TensorSpec([], dtype) for dtype, _ in columns)

    def run(self, state: Pass) -> Iterator[Any]:
        delimiter, quotes, missing, select, compression = self.how
        for name in self.input.run(state):
            path = name._array[()].decode("utf-8", "surrogateescape")
            records = _csv_records(path, compression, quotes)
            for number, line in enumerate(records):
                if number == 0 and self.header:
                    continue
                texts = split_csv(line, delimiter, quotes)
                if select is not None:
                    if select[-1] >= len(texts):
                        raise invalid(
                            f"{path}: record {number} has {len(texts)} fields; field {select[-1]} was asked for."
                        )
                    texts = [texts[i] for i in select]
                if len(texts) != len(self.table):
                    raise invalid(
                        f"{path}: record {number} has {len(texts)} fields; {len(self.table)} were expected."
                    )
                yield tuple(
                    [
                        _value(csv_value(t, d, v, missing, f"{path}: record {number}, field {i}"), d)
                        for i, (t, (d, v)) in enumerate(zip(texts, self.table, strict=True))
                    ]
                )

    def length(self) -> int:
        return UNKNOWN


def _value(value: Any, dtype: Any) -> EagerTensor:
    return _tensor(value) if dtype.np.kind == "O" else of_array(np.asarray(value, dtype.np))


def _csv_records(path: str, compression: str, quotes: bool) -> Iterator[str]:
    """The records of a file; a quoted field may go over several lines."""
    held = ""
    for line in lines_of(path, compression):
        text = line.decode("utf-8", "surrogateescape")
        held = f"{held}\n{text}" if held else text
        if len(held) > MAX_LINE:
            raise DataLossError(None, None, f"{path}: a record is longer than {MAX_LINE} bytes.")
        if not quotes or held.count('"') % 2 == 0:
            if held:
                yield held
            held = ""
    if held:
        raise invalid(f"{path}: a quoted field has no end.")


@export("data.experimental.CsvDataset")
class CsvDatasetV2(DatasetV2):
    """The records of files of comma-separated values.

    Args:
      filenames: a string, a tensor or a data set of strings.
      record_defaults: for each column a value for empty fields, or a dtype where fields are required.
      compression_type: "", "ZLIB" or "GZIP".
      header: whether to leave out the first record of each file.
      field_delim, use_quote_delim, na_value, select_cols: as in `tf.io.decode_csv`.
      exclude_cols: the numbers of the columns to leave out, instead of `select_cols`; needs as many `record_defaults` as columns stay.
    """

    def __init__(
        self, filenames: Any, record_defaults: Any, compression_type: Any = None, buffer_size: Any = None,
        header: bool = False, field_delim: str = ",", use_quote_delim: bool = True, na_value: str = "",
        select_cols: Any = None, exclude_cols: Any = None,
    ) -> None:  # fmt: skip
        what = "tf.data.experimental.CsvDataset"
        columns = csv_columns(record_defaults, what)
        if not columns:
            raise invalid(f"{what}: record_defaults must name at least one column.")
        if len(field_delim) != 1:
            raise invalid(f"{what}: field_delim must be one character; got {field_delim!r}.")
        select = None if select_cols is None else [int(c) for c in np.asarray(select_cols)]
        if exclude_cols is not None:
            if select is not None:
                raise invalid(f"{what}: give select_cols or exclude_cols, not both.")
            left_out = {int(c) for c in np.asarray(exclude_cols)}
            numbers = (i for i in itertools.count() if i not in left_out)
            select = list(itertools.islice(numbers, len(columns)))
        if select is not None and (
            len(select) != len(columns)
            or min(select) < 0
            or any(b <= a for a, b in itertools.pairwise(select))
        ):
            raise invalid(
                f"{what}: the {len(columns)} columns must be selected by ascending numbers; got {select}."
            )
        how = (
            field_delim,
            use_quote_delim,
            na_value,
            select,
            compression_name(_string(compression_type), what),
        )
        super().__init__(CsvRows(_names(filenames, what), columns, bool(header), how))
