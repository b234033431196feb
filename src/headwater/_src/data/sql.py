"""`tf.data.experimental.SqlDataset`: the rows that a query of a SQLite database gives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from headwater._src.base.dtypes import as_dtype
from headwater._src.base.errors import UnknownError, invalid
from headwater._src.base.exporting import export
from headwater._src.base.lazy import sqlite3
from headwater._src.core.spec import TensorSpec
from headwater._src.core.tensor import of_array
from headwater._src.data.dataset import DatasetV2
from headwater._src.data.files import _string
from headwater._src.data.functions import Pass
from headwater._src.data.nodes import UNKNOWN, Node
from headwater._src.data.structure import map_leaves
from headwater._src.io.gfile import _path

_KINDS = ("string", "int8", "int16", "int32", "int64", "uint8", "uint16", "bool", "float64")
_WHAT = "tf.data.experimental.SqlDataset"


class _Query(Node):
    name = "SqlDatasetV2"

    def __init__(self, path: str, query: str, spec: tuple[TensorSpec, ...]) -> None:
        super().__init__()
        self.path, self.query, self.spec = path, query, spec

    def run(self, state: Pass) -> Iterator[Any]:
        makers = [_maker(s.dtype) for s in self.spec]
        connection = None
        try:
            # Read-only, so that a wrong name is an error and makes no file.
            connection = sqlite3.connect(
                f"file:{_quoted(self.path)}?mode=ro", uri=True, check_same_thread=False
            )
            connection.text_factory = bytes
            rows = connection.execute(self.query)
            if len(rows.description or ()) != len(makers):
                raise invalid(
                    f"{_WHAT}: the query gives {len(rows.description or ())} columns; output_types names {len(makers)}."
                )
            for row in rows:
                yield tuple([of_array(make(value)) for make, value in zip(makers, row, strict=True)])
        except sqlite3.Error as error:
            raise UnknownError(None, None, f"{_WHAT}: {self.path}: {error}") from None
        finally:
            if connection is not None:
                connection.close()

    def length(self) -> int:
        return UNKNOWN


def _quoted(path: str) -> str:
    return path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def _maker(dtype: Any) -> Any:
    """Makes arrays of SQLite's values as its own conversions do: NULL is zero or empty, text gives the number it begins with."""
    if dtype.name == "string":
        return _text
    if dtype.name == "float64":
        return lambda value: np.asarray(_number(value), np.float64)
    if dtype.name == "bool":
        return lambda value: np.asarray(int(_number(value)) != 0)
    return lambda value: np.asarray(int(_number(value))).astype(np.int64).astype(dtype.np)


def _text(value: Any) -> np.ndarray:
    out = np.empty((), object)
    out[()] = b"" if value is None else value if value.__class__ is bytes else str(value).encode()
    return out


def _number(value: Any) -> Any:
    if value is None:
        return 0
    if value.__class__ is not bytes:
        return value
    text = value.decode("latin-1").strip()
    for end in range(len(text), 0, -1):
        try:
            return float(text[:end]) if set(text[:end]) & set(".eE") else int(text[:end])
        except ValueError:
            continue
    return 0


@export("data.experimental.SqlDataset")
class SqlDatasetV2(DatasetV2):
    """The rows that a query gives, as tuples of scalars.

    Args:
      driver_name: "sqlite".
      data_source_name: the file of the database.
      query: an SQL query.
      output_types: a tuple of dtypes, one for each column: string, bool, float64 or integers of up to 64 bits.

    Raises:
      InvalidArgumentError: another database or dtype; on iteration, another number of columns.
      UnknownError: on iteration, the database or the query can't be read.
    """

    def __init__(self, driver_name: Any, data_source_name: Any, query: Any, output_types: Any) -> None:
        if _string(driver_name) != "sqlite":
            raise invalid(f"{_WHAT}: the database must be 'sqlite'; got {driver_name!r}.")
        if not isinstance(output_types, tuple):
            raise TypeError(f"{_WHAT}: output_types must be a tuple of dtypes; got {output_types!r}.")
        for dtype in map(as_dtype, output_types):
            if dtype.name not in _KINDS:
                raise invalid(f"{_WHAT}: columns are one of {', '.join(_KINDS)}; got {dtype.name}.")
        spec = map_leaves(lambda t: TensorSpec([], as_dtype(t)), output_types)
        super().__init__(_Query(_path(_string(data_source_name)), _string(query), spec))
