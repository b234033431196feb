"""`tf.io.parse_sequence_example` and `parse_single_sequence_example`: records of a context and of steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from headwater._src.base.errors import DataLossError, invalid
from headwater._src.base.exporting import export
from headwater._src.core.spec import Spec
from headwater._src.io import wire
from headwater._src.io.columns import Values, column, entry, feature, features
from headwater._src.io.features import (
    FixedLenFeature,
    FixedLenSequenceFeature,
    RaggedFeature,
    VarLenFeature,
    checked,
)
from headwater._src.io.forms import (
    Form,
    Ragged,
    filled_up,
    form_of,
    ragged_of,
    specs_of_ragged,
    within,
)
from headwater._src.io.opaque import HostOp, strings
from headwater._src.io.parsing import kinds_of

_INT64 = np.dtype(np.int64)


class _Steps:
    """A sequence feature: `arrays` takes the numbers of steps of the records, -1 for none, and the columns of the steps."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self.name = form.name

    def specs(self, batch: tuple[Any, ...]) -> list[Spec]:
        """The specifications of its arrays."""
        raise NotImplementedError

    def arrays(self, steps: np.ndarray, columns: dict[bytes, Values]) -> list[np.ndarray]:
        """The arrays of a vector of records."""
        raise NotImplementedError

    def alone(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        """The same for a single record."""
        return self.form.alone(arrays)

    def value(self, parts: Iterator[Any], batch: tuple[Any, ...]) -> Any:
        """The tensor of the next of `parts`."""
        return self.form.value(parts, batch)


class _DenseSteps(_Steps):
    def specs(self, batch: tuple[Any, ...]) -> list[Spec]:
        """One dense array."""
        return self.form.specs((*batch, None))

    def arrays(self, steps: np.ndarray, columns: dict[bytes, Values]) -> list[np.ndarray]:
        """The steps, filled up to the most that a record has."""
        (rows,) = self.form.arrays(columns)
        return [filled_up(np.maximum(steps, 0), rows)]


class _SparseSteps(_Steps):
    def specs(self, batch: tuple[Any, ...]) -> list[Spec]:
        """Indices, values and the dense shape, with a dimension for steps."""
        return self.form.specs((*batch, None))

    def arrays(self, steps: np.ndarray, columns: dict[bytes, Values]) -> list[np.ndarray]:
        """A sparse array of records, steps and values."""
        steps = np.maximum(steps, 0)
        places, flat, shape = self.form.arrays(columns)
        record, step = np.repeat(np.arange(len(steps)), steps), within(steps)
        indices = np.stack([record[places[:, 0]], step[places[:, 0]], places[:, 1]], axis=1)
        return [indices, flat, np.array([len(steps), steps.max(initial=0), shape[1]], np.int64)]


class _RaggedSteps(_Steps):
    form: Ragged

    def specs(self, batch: tuple[Any, ...]) -> list[Spec]:
        """The flat values and the splits."""
        return specs_of_ragged(self.form.spec((*batch, None)))

    def arrays(self, steps: np.ndarray, columns: dict[bytes, Values]) -> list[np.ndarray]:
        """The values of the steps of each record."""
        flat, *splits = self.form.arrays(columns)
        ends = np.concatenate([[0], np.cumsum(np.maximum(steps, 0))])
        return [flat, ends.astype(splits[0].dtype), *splits]

    def value(self, parts: Iterator[Any], batch: tuple[Any, ...]) -> Any:
        """A ragged tensor."""
        return ragged_of(self.form.spec((*batch, None)), parts)


class _SequenceSchema:
    """A checked description of a context and of steps."""

    def __init__(self, context: Any, sequence: Any, what: str) -> None:
        if not context and not sequence:
            raise ValueError(f"{what}: give context_features or sequence_features.")
        self.what = what
        inside = checked(context, what, (FixedLenFeature, VarLenFeature, RaggedFeature)) if context else {}
        found = (
            checked(sequence, what, (FixedLenSequenceFeature, VarLenFeature, RaggedFeature))
            if sequence
            else {}
        )
        self.forms = [form_of(k, f, what) for k, f in inside.items()]
        self.kinds = kinds_of(self.forms, what)
        self.steps = [self._steps(k, f) for k, f in found.items()]
        self.step_kinds = kinds_of([s.form for s in self.steps], what)
        self.required = {
            k.encode()
            for k, f in found.items()
            if isinstance(f, FixedLenSequenceFeature) and not f.allow_missing
        }

    def _steps(self, name: str, described: Any) -> _Steps:
        if isinstance(described, VarLenFeature):
            return _SparseSteps(form_of(name, described, self.what))
        if isinstance(described, RaggedFeature):
            return _RaggedSteps(form_of(name, described, self.what))
        if described.default_value is not None:
            raise ValueError(f"{self.what}: the sequence {name!r} can't have a default_value.")
        row = FixedLenFeature(described.shape, described.dtype)
        return _DenseSteps(form_of(name, row, self.what))

    def _record(self, data: bytes) -> tuple[dict[bytes, Any], dict[bytes, list[Any]]]:
        whole: dict[bytes, Any] = {}
        steps: dict[bytes, list[Any]] = {}
        for number, form, a, b in wire.fields(data):
            if form == wire.BYTES and number == 1:
                whole.update(features(data, a, b, self.kinds))
            elif form == wire.BYTES and number == 2:
                for inner, inner_form, c, d in wire.fields(data, a, b):
                    if inner != 1 or inner_form != wire.BYTES:
                        continue
                    key, place = entry(data, c, d)
                    if key in self.step_kinds:
                        steps[key] = [] if place is None else [
                            feature(data, x, y) for n, f, x, y in wire.fields(data, *place) if n == 1 and f == wire.BYTES
                        ]  # fmt: skip
        return whole, steps

    def _read(self, serialized: np.ndarray) -> list[Any]:
        try:
            return [self._record(r) for r in serialized.tolist()]
        except DataLossError as error:
            raise invalid(f"{self.what}: a record can't be read. {error}") from None

    def arrays(self, serialized: np.ndarray, one: bool) -> list[np.ndarray]:
        """The results of a vector of records; `one`: of a vector with one, as that of a single record."""
        records = self._read(serialized)
        none: tuple[int, Any] = (0, None)
        columns = {
            key: column([whole.get(key, none) for whole, _ in records], key, kind, self.what)
            for key, kind in self.kinds.items()
        }
        counts, inside = {}, {}
        for key, kind in self.step_kinds.items():
            found = [steps.get(key) for _, steps in records]
            if key in self.required and None in found:
                raise invalid(
                    f"{self.what}: record {found.index(None)} leaves the sequence {key.decode()!r} out; "
                    "allow_missing=True takes that as empty."
                )
            counts[key] = np.array([-1 if s is None else len(s) for s in found], np.int64)
            inside[key] = column([v for s in found if s for v in s], key, kind, self.what)
        out = [form.arrays(columns) for form in self.forms]
        after = [s.arrays(self._counts(s, counts), inside) for s in self.steps]
        lengths = [[np.maximum(counts[s.name.encode()], 0)] for s in self.dense]
        if one:
            out = [f.alone(a) for f, a in zip(self.forms, out, strict=True)]
            after = [s.alone(a) for s, a in zip(self.steps, after, strict=True)]
            lengths = []
        return [a for part in (*out, *after, *lengths) for a in part]

    @staticmethod
    def _counts(steps: _Steps, counts: dict[bytes, np.ndarray]) -> np.ndarray:
        own, *others = (counts[k.encode()] for k in list(steps.form.keys()))
        if any((np.maximum(o, 0) != np.maximum(own, 0)).any() for o in others):
            raise steps.form.error("has other numbers of steps than what divides it.")
        return own

    @property
    def dense(self) -> list[_Steps]:
        """The sequences whose lengths are results too."""
        return [s for s in self.steps if isinstance(s, _DenseSteps)]

    def parse(
        self, tensor: Any, one: bool, name: str | None
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        """The tensors of the context and of the steps, and the numbers of steps."""
        batch = () if one else (tensor.shape[0] if tensor.shape.rank else None,)
        made: list[Any] = [*self.forms, *self.steps]
        specs = [s for part in made for s in part.specs(batch)]
        if not one:
            specs += [Spec(batch, _INT64)] * len(self.dense)
        parts: Iterator[Any] = iter(_SEQUENCES([tensor], (self, one), specs, name))
        whole = {form.name: form.value(parts, batch) for form in self.forms}
        steps = {s.name: s.value(parts, batch) for s in self.steps}
        return whole, steps, {} if one else {s.name: next(parts) for s in self.dense}


def _sequences(serialized: np.ndarray, how: tuple[_SequenceSchema, bool]) -> Sequence[np.ndarray]:
    schema, one = how
    return schema.arrays(serialized.reshape(1) if one else serialized, one)


_SEQUENCES = HostOp("ParseSequenceExampleV2", _sequences)


@export("io.parse_sequence_example")
def parse_sequence_example(
    serialized: Any, context_features: Any = None, sequence_features: Any = None, example_names: Any = None,
    name: str | None = None,
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:  # fmt: skip
    """Serialized `tf.train.SequenceExample` records as tensors: those of the whole, those of the steps, and numbers of steps.

    Args:
      serialized: a vector of strings (or a scalar, whose results have no dimension for records).
      context_features: FixedLenFeature, VarLenFeature and RaggedFeature by name.
      sequence_features: FixedLenSequenceFeature, VarLenFeature and RaggedFeature by name.

    Raises:
      ValueError: neither is given, or one describes what it can't.
      InvalidArgumentError: a record does not fit, or is damaged.
    """
    what = "tf.io.parse_sequence_example"
    tensor = strings(serialized, what)
    if tensor.shape.rank not in (0, 1, None):
        raise invalid(f"{what} takes a vector of strings; got shape {tensor.shape}.")
    return _SequenceSchema(context_features, sequence_features, what).parse(
        tensor, tensor.shape.rank == 0, name
    )


@export("io.parse_single_sequence_example")
def parse_single_sequence_example(
    serialized: Any, context_features: Any = None, sequence_features: Any = None, example_name: Any = None,
    name: str | None = None,
) -> tuple[dict[str, Any], dict[str, Any]]:  # fmt: skip
    """One serialized `tf.train.SequenceExample` as tensors: those of the whole and those of the steps."""
    what = "tf.io.parse_single_sequence_example"
    tensor = strings(serialized, what, 0)
    return _SequenceSchema(context_features, sequence_features, what).parse(tensor, True, name)[:2]
