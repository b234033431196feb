"""What static lookup tables begin with: keys and values from tensors or from the lines of a text file."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from headwater._src.base.dtypes import DType, as_dtype, int64, string
from headwater._src.base.errors import NotFoundError, invalid
from headwater._src.base.exporting import export
from headwater._src.base.text import describe
from headwater._src.core.convert import convert
from headwater._src.core.tensor import EagerTensor, SymbolicTensor, TensorLike, of_array
from headwater._src.engine.tape import outside_graphs
from headwater._src.state.tracking import Trackable


def settled(value: Any, dtype: DType | None, what: str) -> EagerTensor:
    """`value` as a tensor with a value: a table is filled once, so a tensor of a graph must be a constant there."""
    if isinstance(value, SymbolicTensor):
        if value.op.type != "Const":
            raise NotImplementedError(
                f"{what}: a table is filled when it is made, so its contents can't depend on {describe(value)}."
            )
        value = of_array(value.op.attrs["value"])
    with outside_graphs():
        return convert(value, dtype)  # type: ignore[return-value]


class KeysAndValues:
    """What has keys of one dtype and values of another: tables, and what fills them."""

    def __init__(self, key_dtype: Any, value_dtype: Any) -> None:
        self._key_dtype, self._value_dtype = as_dtype(key_dtype), as_dtype(value_dtype)

    @property
    def key_dtype(self) -> DType:
        """The dtype of the keys."""
        return self._key_dtype

    @property
    def value_dtype(self) -> DType:
        """The dtype of the values."""
        return self._value_dtype


class TableInitializerBase(KeysAndValues, Trackable):
    """Base of the initializers: knows the dtypes, and fills a table in `initialize(table)`."""

    def initialize(self, table: Any) -> None:
        """Fills the table."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it fills a table.")


@export("lookup.KeyValueTensorInitializer")
class KeyValueTensorInitializer(TableInitializerBase):
    """The keys and values of two tensors.

    Args:
      keys: the keys, a vector.
      values: as many values.
      key_dtype: the keys' dtype where `keys` is a Python list.
      value_dtype: the values' dtype where `values` is a Python list.
    """

    def __init__(
        self, keys: Any, values: Any, key_dtype: Any = None, value_dtype: Any = None, name: str | None = None
    ) -> None:
        what = "KeyValueTensorInitializer"
        self._keys = settled(keys, None if key_dtype is None else as_dtype(key_dtype), what)
        self._values = settled(values, None if value_dtype is None else as_dtype(value_dtype), what)
        super().__init__(self._keys.dtype, self._values.dtype)

    def initialize(self, table: Any) -> None:
        """Fills the table; InvalidArgumentError where the numbers of keys and values differ."""
        table._check_dtypes(self._key_dtype, self._value_dtype)
        table._fill(self._keys._array, self._values._array)


@export("lookup.TextFileIndex")
class TextFileIndex:
    """What of a line is meant, where it is not a column: the whole line, or its number."""

    WHOLE_LINE = -2
    LINE_NUMBER = -1


@export("lookup.TextFileInitializer")
class TextFileInitializer(TableInitializerBase):
    """Keys and values from the lines of a text file.

    Args:
      filename: path of the file.
      key_dtype: dtype of the keys.
      key_index: which column has the key, or a `TextFileIndex`.
      value_dtype: dtype of the values.
      value_index: which column has the value, or a `TextFileIndex`.
      vocab_size: how many lines to read, all by default; InvalidArgumentError where the file has fewer.
      delimiter: the character between columns.
      value_index_offset: added to the line number where that is the value.

    Raises:
      ValueError: an index or `vocab_size` is out of range or does not go with its dtype, or there is no filename.
      InvalidArgumentError: the delimiter is not one character.
    """

    def __init__(
        self, filename: Any, key_dtype: Any, key_index: int, value_dtype: Any, value_index: int,
        vocab_size: int | None = None, delimiter: str = "\t", name: str | None = None, value_index_offset: int = 0,
    ) -> None:  # fmt: skip
        super().__init__(key_dtype, value_dtype)
        if isinstance(filename, TensorLike):
            filename = settled(filename, None, "TextFileInitializer").numpy()  # type: ignore[attr-defined]
        if not filename:
            raise ValueError("TextFileInitializer: a filename is needed.")
        filename = os.fsdecode(filename)
        if len(delimiter) != 1:
            raise invalid(f"TextFileInitializer: the delimiter is one character; got {delimiter!r}.")
        if vocab_size is not None and vocab_size <= 0:
            raise ValueError(f"TextFileInitializer: vocab_size is at least 1; got {vocab_size}.")
        for what, index, dtype in (
            ("key", key_index, self._key_dtype),
            ("value", value_index, self._value_dtype),
        ):
            if index < -2:
                raise ValueError(
                    f"TextFileInitializer: {what}_index is a column or a TextFileIndex; got {index}."
                )
            if index == TextFileIndex.LINE_NUMBER and dtype is not int64:
                raise ValueError(
                    f"TextFileInitializer: line numbers are int64; {what}_dtype is {dtype.name}."
                )
            if index == TextFileIndex.WHOLE_LINE and dtype is not string and not dtype.is_integer:
                raise ValueError(
                    f"TextFileInitializer: whole lines are strings or integers; {what}_dtype is {dtype.name}."
                )
        self._filename, self._delimiter = filename, os.fsencode(delimiter)
        self._key_index, self._value_index = key_index, value_index
        self._vocab_size, self._offset = vocab_size, value_index_offset

    def initialize(self, table: Any) -> None:
        """Reads the file into the table."""
        table._check_dtypes(self._key_dtype, self._value_dtype)
        lines = self._lines()
        keys = self._column(lines, self._key_index, self._key_dtype, 0)
        table._fill(keys, self._column(lines, self._value_index, self._value_dtype, self._offset))

    def _lines(self) -> list[bytes]:
        try:
            with open(self._filename, "rb") as file:
                lines = file.read().split(b"\n")
        except FileNotFoundError as error:
            raise NotFoundError(
                None, None, f"TextFileInitializer: there is no file {self._filename!r}."
            ) from error
        if not lines[-1]:
            lines.pop()
        lines = [line.removesuffix(b"\r") for line in lines]
        if b"" in lines:
            raise invalid(f"TextFileInitializer: line {lines.index(b'')} of {self._filename} is empty.")
        size = self._vocab_size
        if size is not None and size > len(lines):
            raise invalid(
                f"TextFileInitializer: vocab_size is {size}; {self._filename} has {len(lines)} lines."
            )
        return lines if size is None else lines[:size]

    def _column(self, lines: list[bytes], index: int, dtype: DType, offset: int) -> np.ndarray:
        if index == TextFileIndex.LINE_NUMBER:
            return np.arange(offset, offset + len(lines), dtype=np.int64)
        parts = lines
        if index != TextFileIndex.WHOLE_LINE:
            parts = []
            for number, line in enumerate(lines):
                columns = line.split(self._delimiter)
                if index >= len(columns):
                    raise invalid(
                        f"TextFileInitializer: column {index} is asked for; line {number} of {self._filename} "
                        f"has {len(columns)}."
                    )
                parts.append(columns[index])
        if dtype is string:
            array = np.empty(len(parts), object)
            array[:] = parts
            return array
        try:
            return np.array([(float if dtype.is_floating else int)(p) for p in parts], dtype.np)
        except (ValueError, OverflowError) as error:
            raise invalid(
                f"TextFileInitializer: column {index} of {self._filename} does not read as {dtype.name}: {error}."
            ) from None
