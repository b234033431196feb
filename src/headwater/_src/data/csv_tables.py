"""What `make_csv_dataset` finds out about tables: names of columns from the first record, dtypes from the first rows."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from headwater._src.base import dtypes
from headwater._src.core.convert import convert
from headwater._src.data.files import _csv_records
from headwater._src.io.gfile import glob
from headwater._src.io.raw import split_csv
from headwater._src.io.records import compression_name


class Table:
    """Files of one table.

    Names are those given, else the first record of the first file. Dtypes are those of the defaults given, else the first
    of int32, int64, float32, float64 and string that takes all of the first rows.

    Raises:
      ValueError: no file, other numbers of names and columns, equal names, or a label or column that is not there.
    """

    def __init__(
        self, pattern: Any, names: Any, defaults: Any, label: Any, select: Any, delimiter: str, quotes: bool, missing: str,
        header: bool, rows: Any, compression: Any, encoding: str,
    ) -> None:  # fmt: skip
        what = "tf.data.experimental.make_csv_dataset"
        self.files = sorted(glob(pattern))
        if not self.files:
            raise ValueError(f"{what}: no file matches {pattern!r}.")
        if encoding not in ("utf-8", "utf8"):
            raise NotImplementedError(
                f"{what}: files are read as utf-8; encoding {encoding!r} is not in this version."
            )
        self.how = delimiter, quotes, missing, header, compression_name(compression, what)
        if names is None:
            if not header:
                raise ValueError(f"{what}: give column_names where there is no header.")
            names = split_csv(next(_csv_records(self.files[0], self.how[4], quotes), ""), delimiter, quotes)
        if len(set(names)) != len(names):
            raise ValueError(f"{what}: column names must differ; got {names}.")
        if label is not None and label not in names:
            raise ValueError(f"{what}: the label {label!r} is none of {names}.")
        self.label = label
        self.select = None if select is None else sorted(self._number(c, names, what) for c in select)
        chosen = list(range(len(names))) if self.select is None else self.select
        self.names = [names[i] for i in chosen]
        self.defaults = self._inferred(chosen, rows) if defaults is None else list(defaults)
        if len(self.defaults) != len(chosen):
            raise ValueError(f"{what}: {len(chosen)} columns have {len(self.defaults)} defaults.")

    @staticmethod
    def _number(column: Any, names: list[str], what: str) -> int:
        if isinstance(column, str):
            if column not in names:
                raise ValueError(f"{what}: the column {column!r} is none of {names}.")
            return names.index(column)
        return int(column)

    def _inferred(self, chosen: list[int], rows: Any) -> list[Any]:
        delimiter, quotes, missing, header, compression = self.how
        kinds = [0] * len(chosen)
        left = rows
        for file in self.files:
            records = itertools.islice(_csv_records(file, compression, quotes), int(header), None)
            for record in records if left is None else itertools.islice(records, left):
                texts = split_csv(record, delimiter, quotes)
                for i, column in enumerate(chosen):
                    text = texts[column] if column < len(texts) else ""
                    while text not in ("", missing) and not _fits(text, kinds[i]):
                        kinds[i] += 1
                left = None if left is None else left - 1
            if left == 0:
                break
        return [_default(k) for k in kinds]

    def row(self, *columns: Any) -> Any:
        """A batch as a dictionary of columns, or as a pair of that and the label."""
        found = dict(zip(self.names, columns, strict=True))
        if self.label is None:
            return found
        label = found.pop(self.label)
        return found, label


_KINDS = [dtypes.int32, dtypes.int64, dtypes.float32, dtypes.float64, dtypes.string]


def _default(kind: int) -> Any:
    dtype = _KINDS[kind]
    return convert("" if kind == 4 else np.zeros((), dtype.np), dtype)


def _fits(text: str, kind: int) -> bool:
    if kind == 4:
        return True
    try:
        if kind < 2:
            bound = 1 << (31 if kind == 0 else 63)
            return -bound <= int(text) < bound
        number = float(text)
        return kind == 3 or bool(np.isfinite(np.float32(number))) or not np.isfinite(number)
    except ValueError:
        return False
