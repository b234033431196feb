"""`tf.io.parse_example` and its relatives: serialized records as tensors.

A record is gone through once; values of the features that are asked for become arrays, the others are passed over. The
results of many records are put together by feature.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from headwater._src.base.errors import DataLossError, invalid
from headwater._src.base.exporting import export
from headwater._src.base.shapes import TensorShape
from headwater._src.core.composite import SparseTensor
from headwater._src.core.convert import to_array
from headwater._src.core.spec import Spec
from headwater._src.io import alike, wire
from headwater._src.io.features import (
    KINDS,
    FixedLenFeature,
    FixedLenSequenceFeature,
    SparseFeature,
    VarLenFeature,
    checked,
)
from headwater._src.io.opaque import HostOp, strings

_INT64 = np.dtype(np.int64)

# -- reading one record -----------------------------------------------------------------------------------------------


def _values(data: bytes, at: int, end: int) -> tuple[int, Any]:
    """The kind of a serialized feature, 0 for none, and its values."""
    kind = 0
    values: Any = None
    for number, form, a, b in wire.fields(data, at, end):
        if form != wire.BYTES or not 1 <= number <= 3:
            continue
        kind = number
        if number == 1:
            values = [data[c:d] for n, f, c, d in wire.fields(data, a, b) if n == 1 and f == wire.BYTES]
            continue
        parts: list[Any] = []
        for n, f, c, d in wire.fields(data, a, b):
            if n != 1:
                continue
            if number == 2:
                parts.append(wire.floats(data, c, d))
            else:
                parts.append(wire.packed_ints(data, c, d) if f == wire.BYTES else [wire.signed(c)])
        if len(parts) == 1:
            values = parts[0]
        else:
            values = np.concatenate(parts) if number == 2 and parts else [x for p in parts for x in p]
    return kind, values


def _features(data: bytes, at: int, end: int, wanted: dict[bytes, str]) -> dict[str, tuple[int, Any]]:
    """The wanted features of a serialized `Features` message; of several with one name the last counts."""
    found: dict[str, tuple[int, Any]] = {}
    read = wire.read_varint
    while at < end:
        tag, at = read(data, at)
        if tag != 10:
            return _features_of_any_order(data, at - 1, end, wanted, found)
        size, at = read(data, at)
        stop = at + size
        if stop > end:
            raise wire.damaged("a feature is longer than the message")
        # The usual layout of an entry: the name, then the feature.
        if data[at : at + 1] == b"\x0a":
            length, start = read(data, at + 1)
            middle = start + length
            name = wanted.get(data[start:middle])
            if middle <= stop and (data[middle : middle + 1] == b"\x12" or middle == stop):
                if name is not None:
                    if middle == stop:
                        found[name] = 0, None
                    else:
                        length, start = read(data, middle + 1)
                        if start + length == stop:
                            found[name] = _values(data, start, stop)
                        else:
                            _entry(data, at, stop, wanted, found)
                at = stop
                continue
        _entry(data, at, stop, wanted, found)
        at = stop
    return found


def _features_of_any_order(data: bytes, at: int, end: int, wanted: Any, found: Any) -> Any:
    for number, form, a, b in wire.fields(data, at, end):
        if number == 1 and form == wire.BYTES:
            _entry(data, a, b, wanted, found)
    return found


def _entry(data: bytes, at: int, end: int, wanted: dict[bytes, str], found: dict[str, Any]) -> None:
    key, place = b"", None
    for number, form, a, b in wire.fields(data, at, end):
        if form == wire.BYTES and number == 1:
            key = data[a:b]
        elif form == wire.BYTES and number == 2:
            place = a, b
    if key in wanted:
        found[wanted[key]] = (0, None) if place is None else _values(data, *place)


def _example(data: bytes, wanted: dict[bytes, str], where: str) -> dict[str, tuple[int, Any]]:
    found: dict[str, tuple[int, Any]] = {}
    for number, form, a, b in wire.fields(data):
        if number == 1 and form == wire.BYTES:
            found.update(_features(data, a, b, wanted))
    return found


def _names(features: dict[str, Any]) -> dict[bytes, str]:
    keys: set[str] = set()
    for key, feature in features.items():
        if isinstance(feature, SparseFeature):
            keys.update([feature.value_key, *_index_keys(feature)])
        else:
            keys.add(key)
    return {k.encode(): k for k in keys}


def _index_keys(feature: SparseFeature) -> list[str]:
    return list(feature.index_key) if isinstance(feature.index_key, (list, tuple)) else [feature.index_key]


# -- putting records together -----------------------------------------------------------------------------------------


def _got(record: dict[str, tuple[int, Any]], key: str, dtype: Any, where: str) -> Any:
    """The values of a feature; None where the record leaves it out."""
    kind, values = record.get(key, (0, None))
    if kind == 0:
        return None
    if kind != KINDS[dtype]:
        names = {1: "bytes", 2: "floats", 3: "integers"}
        raise invalid(f"{where}: the feature {key!r} holds {names[kind]}; {dtype.name} was expected.")
    return values


def _array(values: Any, dtype: Any) -> np.ndarray:
    if dtype.np.kind != "O":
        return np.asarray(values, dtype.np)
    out = np.empty(len(values), object)
    out[:] = values
    return out


def _fixed(
    feature: FixedLenFeature, key: str, columns: list[Any], where: str, numbers: Sequence[int] | None = None
) -> np.ndarray:
    dims = tuple(TensorShape(feature.shape).as_list())
    size = int(np.prod(dims, dtype=np.int64))
    default = None
    if feature.default_value is not None and any(c is None for c in columns):
        default = np.broadcast_to(to_array(feature.default_value, feature.dtype), dims).reshape(-1)
    flat: list[Any] = []
    for i, values in zip(range(len(columns)) if numbers is None else numbers, columns, strict=True):
        if values is None:
            if default is None:
                raise invalid(
                    f"{where}: record {i} leaves the feature {key!r} out, which is required and has no default."
                )
            values = default
        if len(values) != size:
            raise invalid(
                f"{where}: the feature {key!r} of record {i} has {len(values)} values; shape {dims} needs {size}."
            )
        flat.append(values)
    if feature.dtype.np.kind == "O":
        out = _array([v for values in flat for v in values], feature.dtype)
    elif size == 1 and flat and flat[0].__class__ is list:
        out = np.array([v[0] for v in flat], feature.dtype.np)
    else:
        out = np.array(flat, feature.dtype.np)
    return out.reshape((len(columns), *dims))


def _ragged_rows(feature: FixedLenSequenceFeature, key: str, columns: list[Any], where: str) -> np.ndarray:
    dims = tuple(TensorShape(feature.shape).as_list())
    size = int(np.prod(dims, dtype=np.int64)) or 1
    counts = []
    for i, values in enumerate(columns):
        if values is not None and len(values) % size:
            raise invalid(
                f"{where}: the feature {key!r} of record {i} has {len(values)} values, no multiple of {size}."
            )
        counts.append(0 if values is None else len(values) // size)
    fill = b"" if feature.dtype.np.kind == "O" else 0
    if feature.default_value is not None:
        fill = to_array(feature.default_value, feature.dtype).reshape(-1)[0]
    out = np.full((len(columns), max(counts, default=0), *dims), fill, feature.dtype.np)
    for i, (values, count) in enumerate(zip(columns, counts, strict=True)):
        if count:
            out[i, :count] = _array(values, feature.dtype).reshape((count, *dims))
    return out


def _sparse_rows(columns: list[Any], dtype: Any) -> list[np.ndarray]:
    counts = [0 if v is None else len(v) for v in columns]
    indices = np.empty((sum(counts), 2), np.int64)
    indices[:, 0] = np.repeat(np.arange(len(counts)), counts)
    indices[:, 1] = np.concatenate([np.arange(c) for c in counts]) if counts else 0
    values = _array([x for v in columns if v is not None for x in v], dtype)
    return [indices, values, np.array([len(columns), max(counts, default=0)], np.int64)]


def _sparse_indexed(feature: SparseFeature, records: list[Any], where: str) -> list[np.ndarray]:
    keys = _index_keys(feature)
    sizes = list(feature.size) if isinstance(feature.size, (list, tuple)) else [feature.size]
    from headwater._src.base.dtypes import int64

    rows, values = [], []
    for i, record in enumerate(records):
        found = _got(record, feature.value_key, feature.dtype, where)
        found = () if found is None else found
        places = [_got(record, k, int64, where) for k in keys]
        columns = [np.asarray(() if p is None else p, np.int64) for p in places]
        if any(len(c) != len(found) for c in columns):
            raise invalid(
                f"{where}: record {i} has {len(found)} values of {feature.value_key!r} and other numbers of indices."
            )
        for c, size, key in zip(columns, sizes, keys, strict=True):
            if len(c) and (c.min() < 0 or c.max() >= size):
                raise invalid(f"{where}: an index {key!r} of record {i} is outside of [0, {size}).")
        order = np.arange(len(found)) if feature.already_sorted else np.lexsort(columns[::-1])
        rows.append(np.stack([np.full(len(found), i), *columns], axis=1)[order])
        values += [found[j] for j in order]
    indices = np.concatenate(rows).astype(np.int64) if rows else np.empty((0, 1 + len(keys)), np.int64)
    return [indices, _array(values, feature.dtype), np.array([len(records), *sizes], np.int64)]


def _readable(read: Any, data: bytes, *rest: Any) -> Any:
    try:
        return read(data, *rest)
    except DataLossError as error:
        raise invalid(f"{rest[-1]}: a record can't be read. {error}") from None


def _parse(serialized: np.ndarray, how: tuple[dict[str, Any], str]) -> list[np.ndarray]:
    features, where = how
    if (
        serialized.ndim == 1
        and serialized.size >= alike.FEWEST
        and all(isinstance(f, FixedLenFeature) for f in features.values())
    ):
        return _parse_fixed(serialized, features, where)
    wanted = _names(features)
    records = [_readable(_example, data, wanted, where) for data in serialized.reshape(-1)]
    out: list[np.ndarray] = []
    for key, feature in features.items():
        if isinstance(feature, SparseFeature):
            out += _sparse_indexed(feature, records, where)
            continue
        columns = [_got(r, key, feature.dtype, where) for r in records]
        if isinstance(feature, FixedLenFeature):
            out.append(_fixed(feature, key, columns, where))
        elif isinstance(feature, VarLenFeature):
            out += _sparse_rows(columns, feature.dtype)
        else:
            out.append(_ragged_rows(feature, key, columns, where))
    return out


def _parse_fixed(serialized: np.ndarray, features: dict[str, Any], where: str) -> list[np.ndarray]:
    """The same where all features are dense: records of equal lengths are tried together."""
    dims = {key: tuple(TensorShape(f.shape).as_list()) for key, f in features.items()}
    out = {key: np.empty((len(serialized), *dims[key]), f.dtype.np) for key, f in features.items()}
    kinds = {key.encode(): KINDS[f.dtype] for key, f in features.items()}
    groups: dict[int, list[int]] = {}
    for i, record in enumerate(serialized):
        groups.setdefault(len(record), []).append(i)
    rest: list[int] = []
    for numbers in groups.values():
        found = None
        if len(numbers) >= alike.FEWEST:
            found = alike.parsed([serialized[i] for i in numbers], kinds)
        if found is None or not _all_fit(found, dims):
            rest += numbers
            continue
        for key, column in out.items():
            values = found[key.encode()]
            if values.__class__ is list:
                values = _array(values, features[key].dtype)
            column[numbers] = values.reshape((len(numbers), *dims[key]))
    if rest:
        rest.sort()
        wanted = _names(features)
        records = [_readable(_example, serialized[i], wanted, where) for i in rest]
        for key, feature in features.items():
            columns = [_got(r, key, feature.dtype, where) for r in records]
            out[key][rest] = _fixed(feature, key, columns, where, rest)
    return list(out.values())


def _all_fit(found: dict[bytes, Any], dims: dict[str, tuple[int, ...]]) -> bool:
    """Whether the numbers of values are those of the shapes."""
    for key, shape in dims.items():
        values = found[key.encode()]
        size = 1 if values.__class__ is list else values.shape[1]
        if size != int(np.prod(shape, dtype=np.int64)):
            return False
    return True


def _parse_one(serialized: np.ndarray, how: tuple[dict[str, Any], str]) -> list[np.ndarray]:
    """The same for a single record, whose results have no dimension for records."""
    out = []
    features = iter(_layout(how[0]))
    for array in _parse(serialized, how):
        kind = next(features)
        out.append(
            array[0, ...]
            if kind == "dense"
            else array[:, 1:]
            if kind == "indices"
            else array[1:]
            if kind == "shape"
            else array
        )
    return out


def _layout(features: dict[str, Any]) -> list[str]:
    kinds: list[str] = []
    for feature in features.values():
        sparse = isinstance(feature, (VarLenFeature, SparseFeature))
        kinds += ["indices", "values", "shape"] if sparse else ["dense"]
    return kinds


def _specs(features: dict[str, Any], batch: tuple[Any, ...]) -> list[Spec]:
    specs = []
    for feature in features.values():
        dtype = feature.dtype.np
        if isinstance(feature, (VarLenFeature, SparseFeature)):
            rank = len(batch) + (len(_index_keys(feature)) if isinstance(feature, SparseFeature) else 1)
            specs += [Spec((None, rank), _INT64), Spec((None,), dtype), Spec((rank,), _INT64)]
        elif isinstance(feature, FixedLenFeature):
            specs.append(Spec((*batch, *TensorShape(feature.shape).as_list()), dtype))
        else:
            specs.append(Spec((*batch, None, *TensorShape(feature.shape).as_list()), dtype))
    return specs


def _packed(features: dict[str, Any], parts: Sequence[Any], batch: tuple[Any, ...]) -> dict[str, Any]:
    feed = iter(parts)
    out: dict[str, Any] = {}
    for key, feature in features.items():
        if isinstance(feature, (VarLenFeature, SparseFeature)):
            made = SparseTensor(next(feed), next(feed), next(feed))
            if isinstance(feature, SparseFeature):
                sizes = feature.size if isinstance(feature.size, (list, tuple)) else [feature.size]
                made.set_shape([*batch, *sizes])
            out[key] = made
        else:
            out[key] = next(feed)
    return out


PARSE = HostOp("ParseExampleV2", _parse)
PARSE_ONE = HostOp("ParseSingleExample", _parse_one)


def specs_of_many(how: tuple[dict[str, Any], str]) -> list[Spec]:
    """The specifications of the results of `PARSE` for a vector of unknown length."""
    return _specs(how[0], (None,))


_ALLOWED = (FixedLenFeature, VarLenFeature, FixedLenSequenceFeature, SparseFeature)


def _checked(features: Any, what: str) -> dict[str, Any]:
    found = checked(features, what, _ALLOWED)
    for key, feature in found.items():
        if isinstance(feature, FixedLenSequenceFeature) and not feature.allow_missing:
            raise ValueError(f"{what}: the FixedLenSequenceFeature {key!r} needs allow_missing=True.")
        if isinstance(feature, FixedLenFeature) and None in TensorShape(feature.shape).as_list():
            raise ValueError(f"{what}: the shape of {key!r} must be fully known; got {feature.shape}.")
    return found


@export("io.parse_example")
def parse_example(
    serialized: Any, features: Any, example_names: Any = None, name: str | None = None
) -> dict[str, Any]:
    """Serialized `tf.train.Example` records as tensors.

    Args:
      serialized: a vector of strings (or a scalar, which is parsed as by `parse_single_example`).
      features: a dictionary of FixedLenFeature, VarLenFeature, FixedLenSequenceFeature and SparseFeature.
      example_names: accepted for compatibility.

    Returns:
      A dictionary of tensors, whose first dimension is that of `serialized`, and sparse tensors.

    Raises:
      ValueError: the description is empty or incomplete.
      InvalidArgumentError: a record is damaged or does not fit the description.
    """
    what = "tf.io.parse_example"
    tensor = strings(serialized, what)
    if tensor.shape.rank == 0:
        return parse_single_example(tensor, features)
    if tensor.shape.rank not in (1, None):
        raise invalid(f"{what} takes a vector of strings; got shape {tensor.shape}.")
    found = _checked(features, what)
    batch = (tensor.shape[0] if tensor.shape.rank else None,)
    return _packed(found, PARSE([tensor], (found, what), _specs(found, batch), name), batch)


@export("io.parse_single_example")
def parse_single_example(
    serialized: Any, features: Any, example_names: Any = None, name: str | None = None
) -> dict[str, Any]:
    """One serialized `tf.train.Example` record as tensors; see `tf.io.parse_example`."""
    what = "tf.io.parse_single_example"
    tensor = strings(serialized, what, 0)
    found = _checked(features, what)
    return _packed(found, PARSE_ONE([tensor], (found, what), _specs(found, ()), name), ())


# -- sequences --------------------------------------------------------------------------------------------------------


def _steps(data: bytes, at: int, end: int, dtype: Any, where: str) -> list[Any]:
    """The values of each step of a serialized `FeatureList`."""
    found = []
    for number, form, a, b in wire.fields(data, at, end):
        if number == 1 and form == wire.BYTES:
            found.append(_got({"": _values(data, a, b)}, "", dtype, where))
    return found


def _sequence(data: bytes, context: dict[bytes, str], lists: dict[str, Any], where: str) -> tuple[Any, Any]:
    whole: dict[str, Any] = {}
    steps: dict[str, Any] = {}
    for number, form, a, b in wire.fields(data):
        if form == wire.BYTES and number == 1:
            whole.update(_features(data, a, b, context))
        elif form == wire.BYTES and number == 2:
            for inner, inner_form, c, d in wire.fields(data, a, b):
                if inner != 1 or inner_form != wire.BYTES:
                    continue
                key, place = "", (c, c)
                for n, f, x, y in wire.fields(data, c, d):
                    if f == wire.BYTES and n == 1:
                        key = data[x:y].decode("utf-8", "replace")
                    elif f == wire.BYTES and n == 2:
                        place = x, y
                if key in lists:
                    steps[key] = _steps(data, *place, lists[key].dtype, where)
    return whole, steps


def _parse_sequences(serialized: np.ndarray, how: tuple[Any, Any, str, bool]) -> list[np.ndarray]:
    context, lists, where, one = how
    names = _names(context)
    records = [_readable(_sequence, data, names, lists, where) for data in serialized.reshape(-1)]
    out: list[np.ndarray] = []
    for key, feature in context.items():
        columns = [_got(whole, key, feature.dtype, where) for whole, _ in records]
        if isinstance(feature, FixedLenFeature):
            out.append(_fixed(feature, key, columns, where))
        else:
            out += _sparse_rows(columns, feature.dtype)
    counts = []
    for key, feature in lists.items():
        steps = [s.get(key) for _, s in records]
        if isinstance(feature, VarLenFeature):
            out += _sparse_steps(steps, feature.dtype)
        else:
            dense, lengths = _dense_steps(feature, key, steps, where)
            out.append(dense)
            counts.append(lengths)
    if one:
        kinds = _layout(
            {**{f"c{k}": v for k, v in context.items()}, **{f"s{k}": v for k, v in lists.items()}}
        )
        cut = {
            "dense": lambda a: a[0, ...],
            "indices": lambda a: a[:, 1:],
            "shape": lambda a: a[1:],
            "values": lambda a: a,
        }
        return [cut[k](a) for k, a in zip(kinds, out, strict=True)] + [c[0, ...] for c in counts]
    return out + counts


def _sparse_steps(steps: list[Any], dtype: Any) -> list[np.ndarray]:
    places, values = [], []
    longest = widest = 0
    for i, rows in enumerate(steps):
        longest = max(longest, len(rows or ()))
        for j, row in enumerate(rows or ()):
            for k, value in enumerate(() if row is None else row):
                places.append((i, j, k))
                values.append(value)
            widest = max(widest, 0 if row is None else len(row))
    indices = np.array(places, np.int64).reshape(-1, 3)
    return [indices, _array(values, dtype), np.array([len(steps), longest, widest], np.int64)]


def _dense_steps(feature: Any, key: str, steps: list[Any], where: str) -> tuple[np.ndarray, np.ndarray]:
    dims = tuple(TensorShape(feature.shape).as_list())
    size = int(np.prod(dims, dtype=np.int64))
    for i, rows in enumerate(steps):
        if rows is None and not feature.allow_missing:
            raise invalid(
                f"{where}: record {i} leaves the sequence {key!r} out; allow_missing=True takes that as empty."
            )
        for row in rows or ():
            if row is None or len(row) != size:
                raise invalid(
                    f"{where}: a step of {key!r} in record {i} has not the {size} values that {dims} needs."
                )
    lengths = np.array([len(s or ()) for s in steps], np.int64)
    fill = b"" if feature.dtype.np.kind == "O" else 0
    out = np.full((len(steps), int(lengths.max(initial=0)), *dims), fill, feature.dtype.np)
    for i, rows in enumerate(steps):
        for j, row in enumerate(rows or ()):
            out[i, j] = _array(row, feature.dtype).reshape(dims)
    return out, lengths


_SEQUENCES = HostOp("ParseSequenceExampleV2", _parse_sequences)


def _parse_sequence(serialized: Any, context: Any, lists: Any, one: bool, what: str, name: str | None) -> Any:
    if not context and not lists:
        raise ValueError(f"{what}: give context_features or sequence_features.")
    tensor = strings(serialized, what, 0 if one else 1)
    whole = checked(context, what, (FixedLenFeature, VarLenFeature)) if context else {}
    steps = checked(lists, what, (FixedLenSequenceFeature, VarLenFeature)) if lists else {}
    batch = () if one else (tensor.shape[0] if tensor.shape.rank else None,)
    specs = _specs(whole, batch)
    for feature in steps.values():
        if isinstance(feature, VarLenFeature):
            rank = len(batch) + 2
            specs += [Spec((None, rank), _INT64), Spec((None,), feature.dtype.np), Spec((rank,), _INT64)]
        else:
            specs.append(Spec((*batch, None, *TensorShape(feature.shape).as_list()), feature.dtype.np))
    count = len(specs)
    dense = [key for key, feature in steps.items() if not isinstance(feature, VarLenFeature)]
    parts = _SEQUENCES([tensor], (whole, steps, what, one), specs + [Spec(batch, _INT64)] * len(dense), name)
    first = len(_layout(whole))
    lengths = dict(zip(dense, parts[count:], strict=True))
    if one:
        return _packed(whole, parts[:first], batch), _packed(steps, parts[first:count], batch)
    return _packed(whole, parts[:first], batch), _packed(steps, parts[first:count], batch), lengths


@export("io.parse_sequence_example")
def parse_sequence_example(
    serialized: Any, context_features: Any = None, sequence_features: Any = None, example_names: Any = None,
    name: str | None = None,
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:  # fmt: skip
    """Serialized `tf.train.SequenceExample` records as tensors: those of the whole, those of the steps, and numbers of steps.

    Args:
      serialized: a vector of strings.
      context_features: FixedLenFeature and VarLenFeature by name.
      sequence_features: FixedLenSequenceFeature and VarLenFeature by name.

    Raises:
      ValueError: neither is given.
      InvalidArgumentError: a record does not fit, or is damaged.
    """
    what = "tf.io.parse_sequence_example"
    return _parse_sequence(serialized, context_features, sequence_features, False, what, name)


@export("io.parse_single_sequence_example")
def parse_single_sequence_example(
    serialized: Any, context_features: Any = None, sequence_features: Any = None, example_name: Any = None,
    name: str | None = None,
) -> tuple[dict[str, Any], dict[str, Any]]:  # fmt: skip
    """One serialized `tf.train.SequenceExample` as tensors: those of the whole and those of the steps."""
    what = "tf.io.parse_single_sequence_example"
    return _parse_sequence(serialized, context_features, sequence_features, True, what, name)
