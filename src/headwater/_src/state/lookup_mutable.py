"""Lookup tables that keys are inserted into and removed from."""

from __future__ import annotations

import math
import threading
from typing import Any

import numpy as np

from headwater._src.base.dtypes import as_dtype
from headwater._src.base.errors import invalid
from headwater._src.base.exporting import export
from headwater._src.core.composite import Composite
from headwater._src.core.convert import convert
from headwater._src.core.spec import Spec
from headwater._src.core.tensor import Tensor, of_array
from headwater._src.engine.tape import outside_graphs
from headwater._src.state.host_nodes import ObjectRecord
from headwater._src.state.lookup import LookupInterface, check_pair, gathered
from headwater._src.state.lookup_buckets import bucket_count, in_buckets
from headwater._src.state.lookup_files import settled
from headwater._src.state.lookup_index import KeyIndex, rows_of

_I64 = np.dtype(np.int64)
_MANY = 256
"""Fewer integer keys are looked up in the dictionary."""

_SHARE = 8
"""An index over all integer keys is worth its making for a look-up of this part of their number."""


class _MutableTable(LookupInterface):
    """What the mutable tables share: a dictionary from key to row, and rows of values that grow."""

    _tensors_name = "table"

    def __init__(
        self, key_dtype: Any, value_dtype: Any, default_value: Any, key_shape: tuple[int, ...]
    ) -> None:
        super().__init__(key_dtype, value_dtype)
        check_pair(self._key_dtype, self._value_dtype)
        with outside_graphs():
            self._default_value = settled(default_value, self._value_dtype, "default_value")
        self._key_shape = key_shape
        self._value_shape = tuple(self._default_value._array.shape)  # type: ignore[attr-defined]
        self._rows: dict[Any, int] = {}
        self._values = np.empty((0, *self._value_shape), self._value_dtype.np)
        self._free: list[int] = []
        self._lock = threading.RLock()
        self._index: tuple[KeyIndex, np.ndarray] | None = None

    # -- on arrays ----------------------------------------------------------------------------------------------------

    def _batch(self, keys: np.ndarray) -> tuple[int, ...]:
        """The shape of `keys` without that of one key."""
        rank = len(self._key_shape)
        if keys.shape[keys.ndim - rank :] != self._key_shape:
            raise invalid(
                f"Keys of this table have shape {self._key_shape}; got an array of shape {keys.shape}."
            )
        return keys.shape[: keys.ndim - rank]

    def _listed(self, keys: np.ndarray) -> list[Any]:
        self._batch(keys)
        if not self._key_shape:
            return keys.reshape(-1).tolist()  # type: ignore[no-any-return]
        width = int(np.prod(self._key_shape))
        return list(map(tuple, keys.reshape(-1, width).tolist()))

    def _all_keys(self) -> np.ndarray:
        out = np.empty((len(self._rows), *self._key_shape), self._key_dtype.np)
        if self._rows:
            out[...] = np.array(list(self._rows), self._key_dtype.np).reshape(out.shape)
        return out

    def _all_rows(self) -> np.ndarray:
        return np.fromiter(self._rows.values(), np.int64, len(self._rows))

    def _insert(self, keys: np.ndarray, values: np.ndarray) -> tuple[()]:
        batch = self._batch(keys)
        if values.shape != batch + self._value_shape:
            raise invalid(
                f"A table of values of shape {self._value_shape} needs values of shape {batch + self._value_shape} for "
                f"keys of shape {keys.shape}; got {values.shape}."
            )
        listed = None if self._indexable(keys) else self._listed(keys)
        with self._lock:
            if not self._rows:
                rows = np.full(math.prod(batch), -1, np.int64)
            else:
                rows = self._find_rows(keys.reshape(-1)) if listed is None else rows_of(self._rows, listed)
            new = np.flatnonzero(rows < 0)
            if new.size:
                self._take_rows(
                    keys.reshape(-1)[new].tolist() if listed is None else [listed[i] for i in new], rows, new
                )
                self._index = None
            self._values[rows] = values.reshape(-1, *self._value_shape)
        return ()

    def _indexable(self, keys: np.ndarray) -> bool:
        """Whether an index over all keys serves a look-up of these, and is there or worth its making."""
        if keys.dtype.kind != "i" or self._key_shape or keys.size < _MANY:
            return False
        return self._index is not None or keys.size >= len(self._rows) // _SHARE

    def _find_rows(self, keys: np.ndarray) -> np.ndarray:
        """The rows of many integer keys, by an index that is kept until there are other keys."""
        if self._index is None:
            self._index = KeyIndex(self._all_keys()), self._all_rows()
        index, of_row = self._index
        at = index.find(keys)
        return np.where(at < 0, -1, of_row[at]) if of_row.size else at

    def _take_rows(self, keys: list[Any], rows: np.ndarray, at: np.ndarray) -> None:
        """Gives these new keys rows, and sets `rows[at]` to them; a key may come more than once."""
        known, free = self._rows, self._free
        used = len(known) + len(free)
        if not free:
            known.update(zip(keys, range(used, used + len(keys)), strict=True))
        if not free and len(known) == used + len(keys):
            rows[at] = np.arange(used, used + len(keys))
            used += len(keys)
        else:
            used = self._take_one_by_one(keys, rows, at, used)
        if used > len(self._values):
            grown = np.empty((max(2 * len(self._values), used, 16), *self._value_shape), self._values.dtype)
            grown[: len(self._values)] = self._values
            self._values = grown

    def _take_one_by_one(self, keys: list[Any], rows: np.ndarray, at: np.ndarray, used: int) -> int:
        known, free = self._rows, self._free
        for key in dict.fromkeys(keys):
            if free:
                known[key] = free.pop()
            else:
                known[key], used = used, used + 1
        rows[at] = rows_of(known, keys)
        return used

    def _remove(self, keys: np.ndarray) -> tuple[()]:
        listed = self._listed(keys)
        with self._lock:
            for key in listed:
                row = self._rows.pop(key, None)
                if row is not None:
                    self._free.append(row)
            self._index = None
        return ()

    def _find(self, keys: np.ndarray, default: np.ndarray) -> tuple[np.ndarray]:
        batch = self._batch(keys)
        if default.shape not in (self._value_shape, batch + self._value_shape):
            raise invalid(
                f"Default values have shape {self._value_shape} or {batch + self._value_shape}; got {default.shape}."
            )
        with self._lock:
            if self._indexable(keys):
                rows = self._find_rows(keys)
            else:
                rows = rows_of(self._rows, self._listed(keys)).reshape(batch)
            return (gathered(self._values, rows, default),)

    def _export(self) -> tuple[np.ndarray, np.ndarray]:
        with self._lock:
            return self._all_keys(), self._values[self._all_rows()]

    def _saved(self) -> tuple[np.ndarray, np.ndarray]:
        """Keys and values as a checkpoint keeps them."""
        return self._export()

    def _become(self, keys: np.ndarray, values: np.ndarray) -> None:
        """Takes over what `_saved` gave, here or in TensorFlow."""
        with self._lock:
            self._rows, self._free, self._index = {}, [], None
            self._values = np.empty((0, *self._value_shape), self._value_dtype.np)
            self._insert(keys, values)

    def _serialize_to_tensors(self) -> dict[str, Any]:
        keys, values = self._saved()
        return {"-keys": of_array(keys), "-values": of_array(values)}

    def _restore_from_tensors(self, restored_tensors: dict[str, Any]) -> None:
        keys, values = restored_tensors["-keys"], restored_tensors["-values"]
        if keys.dtype is not self._key_dtype or values.dtype is not self._value_dtype:
            raise invalid(
                f"A table from {self._key_dtype.name} to {self._value_dtype.name} can't take over one from "
                f"{keys.dtype.name} to {values.dtype.name}."
            )
        self._become(keys._array, values._array)

    # -- on tensors ---------------------------------------------------------------------------------------------------

    def _keys_of(self, keys: Any) -> Any:
        self._check_keys(keys.dtype)
        return convert(keys)

    def _look_up(self, keys: Any, default: Any) -> Any:
        if isinstance(keys, Composite):
            return keys._map_values(lambda k: self._look_up(k, default))
        tensor = convert(keys, self._key_dtype)
        if default.dtype is not self._value_dtype:
            raise invalid(
                f"Default values of this table are {self._value_dtype.name}; got {default.dtype.name}. Cast them."
            )
        shape = tensor._spec.shape
        if shape is not None:
            shape = shape[: len(shape) - len(self._key_shape)] + self._value_shape
        return _FIND(self, [tensor, default], [Spec(shape, self._value_dtype.np)])[0]

    def lookup(self, keys: Any, name: str | None = None) -> Any:
        """The value of each key, the table's default where it is not there.

        Raises:
          ValueError, TypeError: the keys have another dtype; TypeError while a function is traced.
        """
        return self._look_up(keys, self._default_value)

    def insert(self, keys: Any, values: Any, name: str | None = None) -> None:
        """Sets the value of each key, new or not; of equal keys the last counts.

        Raises:
          InvalidArgumentError: the shapes of keys and values don't go together.
          TypeError: they don't have the table's dtypes.
        """
        _INSERT(self, [convert(keys, self._key_dtype), convert(values, self._value_dtype)], [])

    def remove(self, keys: Any, name: str | None = None) -> None:
        """Removes the keys, those that are there; TypeError for keys of another dtype."""
        tensor = convert(keys, self._key_dtype if not hasattr(keys, "dtype") else None)
        _REMOVE(self, [self._keys_of(tensor)], [])

    def size(self, name: str | None = None) -> Tensor:
        """The number of keys, int64."""
        return _SIZE(self, [], [Spec((), _I64)])[0]

    def export(self, name: str | None = None) -> tuple[Tensor, Tensor]:
        """All keys and their values, in no particular order."""
        keys = Spec((None, *self._key_shape), self._key_dtype.np)
        return _EXPORT(self, [], [keys, Spec((None, *self._value_shape), self._value_dtype.np)])  # type: ignore[return-value]


_FIND = ObjectRecord("LookupTableFindV2Mutable", lambda table, keys, default: table._find(keys, default))
_INSERT = ObjectRecord("LookupTableInsertV2", lambda table, keys, values: table._insert(keys, values))
_REMOVE = ObjectRecord("LookupTableRemoveV2", lambda table, keys: table._remove(keys))
_SIZE = ObjectRecord("LookupTableSizeV2Mutable", lambda table: (np.asarray(len(table._rows), _I64),))
_EXPORT = ObjectRecord("LookupTableExportV2Mutable", lambda table: table._export())


@export("lookup.experimental.MutableHashTable")
class MutableHashTable(_MutableTable):
    """A table that starts empty.

    Args:
      key_dtype: int32, int64 or string.
      value_dtype: dtype of the values.
      default_value: what keys that are not there get; a vector makes every value a vector of that length.
    """

    def __init__(
        self, key_dtype: Any, value_dtype: Any, default_value: Any, name: str = "MutableHashTable",
        checkpoint: bool = True, experimental_is_anonymous: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(key_dtype, value_dtype, default_value, ())
        if len(self._value_shape) > 1:
            raise invalid(f"Values are scalars or vectors; got a default_value of shape {self._value_shape}.")

    def lookup(self, keys: Any, dynamic_default_values: Any = None, name: str | None = None) -> Any:  # type: ignore[override]
        """The value of each key.

        Args:
          keys: a tensor, ragged or sparse tensor of the keys' dtype.
          dynamic_default_values: what keys that are not there get, one value or one for each key; the table's default if
            None.

        Raises:
          ValueError, TypeError: the keys have another dtype; TypeError while a function is traced.
          InvalidArgumentError: the default values have another dtype.
        """
        if dynamic_default_values is None:
            return self._look_up(keys, self._default_value)
        given = dynamic_default_values
        return self._look_up(keys, convert(given, None if isinstance(given, Tensor) else self._value_dtype))


@export("lookup.experimental.DenseHashTable")
class DenseHashTable(_MutableTable):
    """A table that starts empty, with two keys set aside, as tables with open addressing need them.

    Args:
      key_dtype: int32, int64 or string.
      value_dtype: dtype of the values.
      default_value: what keys that are not there get; its shape is that of every value.
      empty_key: a key that is never used; its shape is that of every key.
      deleted_key: another one.
      initial_num_buckets: a power of two, at least 4; memory is taken as it is needed.

    Raises:
      InvalidArgumentError: the two keys are equal or of different shapes, or the number is no power of two, or too small.
    """

    def __init__(
        self, key_dtype: Any, value_dtype: Any, default_value: Any, empty_key: Any, deleted_key: Any,
        initial_num_buckets: int | None = None, name: str = "MutableDenseHashTable", checkpoint: bool = True,
        experimental_is_anonymous: bool = False,
    ) -> None:  # fmt: skip
        with outside_graphs():
            empty, deleted = (convert(k, as_dtype(key_dtype)).numpy() for k in (empty_key, deleted_key))
        empty, deleted = (
            np.asarray(empty, as_dtype(key_dtype).np),
            np.asarray(deleted, as_dtype(key_dtype).np),
        )
        if empty.shape != deleted.shape or np.array_equal(empty, deleted):
            raise invalid(
                f"empty_key and deleted_key are two keys of one shape; got {empty!r} and {deleted!r}."
            )
        buckets = initial_num_buckets
        if buckets is not None and (buckets < 4 or buckets & (buckets - 1)):
            raise invalid(f"initial_num_buckets is a power of two, at least 4; got {buckets}.")
        super().__init__(key_dtype, value_dtype, default_value, empty.shape)
        self._reserved = {"empty_key": empty, "deleted_key": deleted}
        self._initial_buckets = buckets

    def _batch(self, keys: np.ndarray) -> tuple[int, ...]:
        batch = super()._batch(keys)
        for what, key in self._reserved.items():
            same = keys == key
            if (same.all(tuple(range(len(batch), keys.ndim))) if self._key_shape else same).any():
                raise invalid(f"The key {key.tolist()!r} is the table's {what}, which can't be used.")
        return batch

    def _saved(self) -> tuple[np.ndarray, np.ndarray]:
        keys, values = self._export()
        count = bucket_count(self._initial_buckets, len(keys))
        keys, values = in_buckets(keys, values, self._reserved["empty_key"], count)
        return keys.reshape(count, -1), values.reshape(count, -1)

    def _become(self, keys: np.ndarray, values: np.ndarray) -> None:
        if keys.ndim != 2 or values.ndim != 2 or len(keys) != len(values):
            raise invalid(
                f"The buckets of a DenseHashTable are two matrices with a row each; got shapes {keys.shape} and {values.shape}."
            )
        used = np.ones(len(keys), bool)
        for key in self._reserved.values():
            used &= (keys != key.reshape(1, -1)).any(1)
        super()._become(
            keys[used].reshape(-1, *self._key_shape), values[used].reshape(-1, *self._value_shape)
        )

    def insert_or_assign(self, keys: Any, values: Any, name: str | None = None) -> None:
        """The same as `insert`."""
        self.insert(keys, values, name)

    def erase(self, keys: Any, name: str | None = None) -> None:
        """The same as `remove`."""
        self.remove(keys, name)
