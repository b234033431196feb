"""Bad inputs by rule: samples of every public function with one argument changed. The same ones here and on TensorFlow."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import harness
import numpy as np

from headwater._src.base.dtypes import DType
from headwater._src.base.shapes import TensorShape
from headwater._src.core.samples import Arr, Sparse_, Tensor_

MOST = 1500
EACH = 4
"""How many mutants of one function at most; those with the lowest checksums are taken, so a new sample moves few others."""
_LEFT_OUT = re.compile(
    r"raw_ops\.|random\.|io\.|data\.|audio\.|debugging\.|image\.(decode|encode|random|stateless|is_)|nn\.(dropout|experimental|.*sampler)|"
    r"print|py_function|numpy_function|function|timestamp|keras|TensorArray"
)
"""Raw operations are other functions again; random numbers, files and host calls have tests of their own."""


class Mutant(NamedTuple):
    """A call of `tf.<public>`: the sample `case`, with the argument at `place` changed by the rule `kind`."""

    public: str
    sample: str
    place: str
    kind: str
    args: list[Any]
    kwargs: dict[str, Any]
    values_count: bool

    @property
    def key(self) -> str:
        """What its answer is kept under; the checksum is that of the call."""
        call = re.sub(r" at 0x[0-9a-f]+", "", repr((self.args, sorted(self.kwargs.items()))))
        return f"{self.public} {self.sample} {self.place} {self.kind} {zlib.crc32(call.encode()):08x}"


# -- rules ------------------------------------------------------------------------------------------------------------

_OF_ARRAYS: dict[str, Callable[[np.ndarray], Any]] = {
    "rank+1": lambda a: a[None],
    "scalar": lambda a: a.reshape(-1)[0] if a.size and a.ndim else None,
    "flat": lambda a: a.reshape(-1) if a.ndim > 1 else None,
    "empty": lambda a: a[:0] if a.ndim and len(a) else None,
    "shorter": lambda a: a[:-1] if a.ndim and len(a) > 1 else None,
    "int32": lambda a: (
        np.nan_to_num(a, posinf=9, neginf=-9).astype(np.int32) if a.dtype.kind == "f" else None
    ),
    "float32": lambda a: a.astype(np.float32) if a.dtype.kind in "iu" else None,
    "float64": lambda a: a.astype(np.float64) if a.dtype == np.float32 else None,
    "bool": lambda a: a.astype(bool) if a.dtype.kind in "iuf" else None,
    "complex": lambda a: a.astype(np.complex64) if a.dtype.kind in "iuf" else None,
    "string": lambda a: np.full(a.shape, b"text", object) if a.dtype.kind in "iuf" else None,
    "negative": lambda a: -abs(a) - 1 if a.dtype.kind == "i" else None,
    "large": lambda a: abs(a) + 1000 if a.dtype.kind == "i" and a.itemsize > 1 else None,
}
_OF_INTS: dict[str, Callable[[int], Any]] = {
    "below": lambda v: -v - 9, "above": lambda v: v + 9, "fraction": lambda v: v + 0.5, "None": lambda v: None, "list": lambda v: [v, v], "text": lambda v: "x",
}  # fmt: skip
_OF_FLOATS: dict[str, Callable[[float], Any]] = {
    "nan": lambda v: float("nan"), "minus": lambda v: -v - 1.0, "text": lambda v: "x", "list": lambda v: [v, v],
}  # fmt: skip
_OF_LISTS: dict[str, Callable[[Any], Any]] = {
    "shorter": lambda v: v[:-1], "longer": lambda v: [*v, v[-1]], "none": lambda v: [], "number": lambda v: v[0], "nested": lambda v: [v],
}  # fmt: skip
_OF_TEXTS: dict[str, Callable[[str], Any]] = {"unknown": lambda v: "nonsense", "number": lambda v: 7}


def _mutants_of(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Tensor_):
        for kind, found in _mutants_of(value.of):
            yield kind, Tensor_(found)
        return
    if isinstance(value, Arr):
        value = value.draw()
    if isinstance(value, np.ndarray):
        rules: dict[str, Callable[..., Any]] = (
            _OF_ARRAYS if value.dtype.name not in ("bfloat16", "object") else {"rank+1": _OF_ARRAYS["rank+1"]}
        )
    elif value.__class__ is int:
        rules = _OF_INTS
    elif value.__class__ is float:
        rules = _OF_FLOATS
    elif value.__class__ is str:
        rules = _OF_TEXTS
    elif value.__class__ in (list, tuple) and value:
        rules = _OF_LISTS
    else:
        return
    for kind, rule in rules.items():
        found = rule(value)
        if found is not None or kind == "None":
            yield kind, found


def _of_function(public: str, samples: list[harness.Sample]) -> Iterator[Mutant]:
    for sample in samples:
        case = sample.case
        name = sample.key.partition("/")[2]
        places: list[Any] = [*range(len(case.args)), *sorted(case.kwargs)]
        for place in places:
            value = case.args[place] if isinstance(place, int) else case.kwargs[place]
            for kind, found in _mutants_of(value):
                args, kwargs = list(case.args), dict(case.kwargs)
                if isinstance(place, int):
                    args[place] = found
                else:
                    kwargs[place] = found
                yield Mutant(public, name, str(place), kind, args, kwargs, case.tol != np.inf)


def mutants() -> list[Mutant]:
    """The mutants of all public functions, in a fixed order."""
    by_name: dict[str, list[harness.Sample]] = {}
    for sample in harness.SAMPLES:
        if (
            sample.public
            and sample.case.error is None
            and not _LEFT_OUT.match(sample.public)
            and _plain(sample.case)
        ):
            by_name.setdefault(sample.public, []).append(sample)
    found: list[Mutant] = []
    for public in sorted(by_name):
        every = {m.key: m for m in _of_function(public, by_name[public][:2])}
        found += sorted(every.values(), key=lambda m: zlib.crc32(m.key.encode()))[:EACH]
    return sorted(found, key=lambda m: zlib.crc32(m.key.encode()))[:MOST]


def _plain(case: Any) -> bool:
    def plain(value: Any) -> bool:
        if isinstance(value, (list, tuple)):
            return all(plain(v) for v in value)
        return not callable(value) or isinstance(value, (DType, TensorShape))

    return all(plain(v) for v in (*case.args, *case.kwargs.values()))


# -- running ----------------------------------------------------------------------------------------------------------


def build(value: Any, tf: Any, tensor: Callable[[np.ndarray], Any]) -> Any:
    """An argument for the library `tf`, whose tensors `tensor` makes."""
    if isinstance(value, Tensor_):
        inner = value.of.draw() if isinstance(value.of, Arr) else np.asarray(value.of)
        return tensor(inner)
    if isinstance(value, Sparse_):
        values = value.values.draw() if isinstance(value.values, Arr) else value.values
        return tf.SparseTensor(value.indices, values, value.dense_shape)
    if isinstance(value, Arr):
        return value.draw()
    if isinstance(value, DType):
        return tf.as_dtype(value.name)
    if isinstance(value, TensorShape):
        return tf.TensorShape(None if value.rank is None else value.as_list())
    if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
        return type(value)(build(v, tf, tensor) for v in value)
    return value


def outcome(
    mutant: Mutant, tf: Any, tensor: Callable[[np.ndarray], Any], flat: Callable[[Any], list[np.ndarray]]
) -> Any:
    """The class of the error, or a summary of each result: dtype, shape, sum, and sum of magnitudes."""
    function = tf
    for part in mutant.public.split("."):
        function = getattr(function, part)
    try:
        args = [build(a, tf, tensor) for a in mutant.args]
        result = function(*args, **{k: build(v, tf, tensor) for k, v in mutant.kwargs.items()})
        return [_summary(array, mutant.values_count) for array in flat(result)]
    except Exception as error:
        return type(error).__name__


def _summary(array: np.ndarray, values: bool) -> list[Any]:
    array = np.asarray(array)
    if array.dtype.kind in "OSU":
        return ["string", list(array.shape), zlib.crc32(repr(array.tolist()).encode()), 0]
    name, shape = array.dtype.name, list(array.shape)
    if not values:
        return [name, shape, 0, 0]
    wide = array.astype(np.complex128) if array.dtype.kind == "c" else array.astype(np.float64)
    finite = np.where(np.isfinite(wide), wide, 0)
    with np.errstate(all="ignore"):
        total, size = complex(finite.sum()), float(np.abs(finite).sum())
    return [name, shape, [total.real, total.imag], size, int(np.isnan(wide).sum()), int(np.isinf(wide).sum())]


def same(ours: Any, theirs: Any) -> bool:
    """Whether two outcomes agree: the same class, or the same answer up to rounding."""
    if isinstance(ours, str) or isinstance(theirs, str):
        return ours == theirs
    return len(ours) == len(theirs) and all(_alike(a, b) for a, b in zip(ours, theirs, strict=True))


def _alike(a: list[Any], b: list[Any]) -> bool:
    if a[:2] != b[:2] or a[4:] != b[4:]:
        return False
    if a[0] == "string" or a[2] == b[2]:
        return a[2] == b[2]
    rough = 5e-2 if "16" in a[0] and "int" not in a[0] else 1e-3
    scale = max(a[3], b[3], 1e-3)
    return all(abs(x - y) <= rough * scale for x, y in zip([*a[2], a[3]], [*b[2], b[3]], strict=True))
