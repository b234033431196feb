"""`tf.io.parse_example` and its relatives: serialized records as tensors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from headwater._src.base.errors import invalid
from headwater._src.base.exporting import export
from headwater._src.core.spec import Spec
from headwater._src.io.columns import Values, read
from headwater._src.io.features import (
    KINDS,
    FixedLenFeature,
    FixedLenSequenceFeature,
    RaggedFeature,
    SparseFeature,
    VarLenFeature,
    checked,
)
from headwater._src.io.forms import Form, form_of
from headwater._src.io.opaque import HostOp, strings

_ALLOWED = (FixedLenFeature, VarLenFeature, FixedLenSequenceFeature, SparseFeature, RaggedFeature)


class Schema:
    """A checked description of features.

    Raises:
      ValueError: it is empty or incomplete, or needs a feature with two dtypes.
    """

    def __init__(self, features: Any, what: str) -> None:
        self.what = what
        self.forms: list[Form] = [form_of(k, f, what) for k, f in checked(features, what, _ALLOWED).items()]
        self.kinds = kinds_of(self.forms, what)

    def columns(self, serialized: np.ndarray) -> dict[bytes, Values]:
        """The columns of a vector of records."""
        return read(serialized.tolist(), self.kinds, self.what)

    def arrays(self, columns: dict[bytes, Values]) -> list[np.ndarray]:
        """The results of columns."""
        return [a for form in self.forms for a in form.arrays(columns)]

    def alone(self, serialized: np.ndarray) -> list[np.ndarray]:
        """The results of a single record."""
        columns = self.columns(serialized.reshape(1))
        return [a for form in self.forms for a in form.alone(form.arrays(columns))]

    def specs(self, batch: tuple[Any, ...]) -> list[Spec]:
        """The specifications of the results for records of this shape."""
        return [s for form in self.forms for s in form.specs(batch)]

    def values(self, parts: Sequence[Any], batch: tuple[Any, ...]) -> dict[str, Any]:
        """The tensors by name."""
        feed: Iterator[Any] = iter(parts)
        return {form.name: form.value(feed, batch) for form in self.forms}

    @property
    def per_row(self) -> bool:
        """Whether each result has a row for each record, which depends on that record alone."""
        return all(form.per_row for form in self.forms)


def kinds_of(forms: Sequence[Form], what: str) -> dict[bytes, int]:
    """The features that forms need, with the kinds of their lists."""
    found: dict[str, Any] = {}
    for form in forms:
        for key, dtype in form.keys().items():
            if found.setdefault(key, dtype) != dtype:
                raise ValueError(
                    f"{what}: the feature {key!r} can't be both {found[key].name} and {dtype.name}."
                )
    return {key.encode(): KINDS[dtype] for key, dtype in found.items()}


PARSE = HostOp("ParseExampleV2", lambda serialized, schema: schema.arrays(schema.columns(serialized)))
PARSE_ONE = HostOp("ParseSingleExample", lambda serialized, schema: schema.alone(serialized))


@export("io.parse_example")
def parse_example(
    serialized: Any, features: Any, example_names: Any = None, name: str | None = None
) -> dict[str, Any]:
    """Serialized `tf.train.Example` records as tensors.

    Args:
      serialized: a vector of strings (or a scalar, which is parsed as by `parse_single_example`).
      features: a dictionary of FixedLenFeature, VarLenFeature, FixedLenSequenceFeature, SparseFeature and RaggedFeature.
      example_names: accepted for compatibility.

    Returns:
      A dictionary of tensors, sparse tensors and ragged tensors, whose first dimension is that of `serialized`.

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
    schema = Schema(features, what)
    batch = (tensor.shape[0] if tensor.shape.rank else None,)
    return schema.values(PARSE([tensor], schema, schema.specs(batch), name), batch)


@export("io.parse_single_example")
def parse_single_example(
    serialized: Any, features: Any, example_names: Any = None, name: str | None = None
) -> dict[str, Any]:
    """One serialized `tf.train.Example` record as tensors; see `tf.io.parse_example`."""
    what = "tf.io.parse_single_example"
    tensor = strings(serialized, what, 0)
    schema = Schema(features, what)
    return schema.values(PARSE_ONE([tensor], schema, schema.specs(()), name), ())
