"""Samples of tf.sparse and of the embeddings of sparse ids: a table, beside the functions for its length."""

from __future__ import annotations

from typing import Any

import numpy as np

from headwater._src.base import dtypes
from headwater._src.core.samples import Arr, Sparse_, bad, case, sampled

_PLACES = [[0, 1], [1, 0], [1, 2]]
_OTHERS = [[0, 1], [0, 2], [1, 2], [1, 3]]


def _sp(dtype: str = "float32", salt: int = 0, low: float = -2.0) -> Sparse_:
    return Sparse_(_PLACES, Arr((3,), dtype, low, salt=salt), [2, 4])


def _other(dtype: str = "float32") -> Sparse_:
    return Sparse_(_OTHERS, Arr((4,), dtype, salt=7), [2, 4])


_UNORDERED = Sparse_([[1, 2], [0, 1], [1, 0]], Arr((3,)), [2, 4])
_REPEATED = Sparse_([[0, 1], [0, 1]], Arr((2,)), [2, 4])
_OUTSIDE = Sparse_([[0, 1], [2, 0]], Arr((2,)), [2, 4])
_EMPTY = Sparse_(np.zeros((0, 2), np.int64), Arr((0,)), [2, 4])
_CUBE = Sparse_([[0, 1, 0], [0, 1, 2], [1, 0, 2], [1, 1, 1]], Arr((4,)), [2, 2, 3])
_WORDS = Sparse_(_PLACES, [b"a", b"b", b"c"], [2, 4])
_DENSE = Arr((2, 4))
_VECTOR = Sparse_([[1], [3]], Arr((2,)), [5])
_IDS = Sparse_([[0, 0], [0, 1], [1, 0], [2, 0], [2, 3]], [1, 3, 0, 2, 2], [3, 4])
_WEIGHTS = Sparse_([[0, 0], [0, 1], [1, 0], [2, 0], [2, 3]], Arr((5,), low=0.5), [3, 4])
_HOLES = Sparse_([[0, 0], [0, 1], [2, 0], [2, 1]], [1, -1, 0, 2], [4, 2])
_HOLE_WEIGHTS = Sparse_([[0, 0], [0, 1], [2, 0], [2, 1]], [1.0, 2.0, 0.0, 0.5], [4, 2])
_TABLE = Arr((4, 3))


def _forms() -> dict[str, list[Any]]:
    return {
        "from_dense": [
            case([[0.0, 3.0], [2.0, 0.0]], id="plain"), case(Arr((2, 2), low=0.5), grad=(0,), id="gradient"), case([[0, 0]], id="zeros"), case([b"", b"x"], id="strings"),
            case([True, False], id="bool"), bad(5.0, id="scalar"), case([0.0, np.nan, -0.0], id="nan"),
        ],
        "to_dense": [
            *(case(_sp(d), grad=(0,), id=d) for d in ("float32", "float64", "complex64")), case(_sp("int8"), id="int8"),
            case(_sp(), 5.0, grad=(0,), id="default"), case(_sp(), Arr(()), grad=(0, 1), id="default-gradient"),
            case(_WORDS, id="strings"), case(_WORDS, "x", id="strings-default"), case(_sp("bool"), id="bool"),
            case(_EMPTY, id="empty"), case(_CUBE, grad=(0,), id="cube"), case(_VECTOR, id="vector"),
            case(_UNORDERED, validate_indices=False, grad=(0,), id="unordered-unchecked"),
            case(_REPEATED, validate_indices=False, id="repeated-unchecked"), bad(_UNORDERED, id="unordered"),
            bad(_REPEATED, id="repeated"), bad(_OUTSIDE, id="outside"), bad([1.0], error="TypeError", id="dense"),
            bad(_sp(), [1.0], id="default-rank"), bad(_sp(), "x", error="TypeError", id="default-dtype"),
        ],
        "reorder": [
            case(_UNORDERED, grad=(0,), id="unordered"), case(_sp("int32"), id="ordered"), case(_REPEATED, id="repeated"),
            case(_EMPTY, id="empty"), case(_OUTSIDE, id="outside"), bad([1.0], error="TypeError", id="dense"),
        ],
        "eye": [
            case(3, id="square"), case(2, 3, id="wide"), case(3, 2, dtypes.int32, id="tall"), case(0, id="empty"),
        ],
        "reshape": [
            case(_sp(), [4, 2], grad=(0,), id="plain"), case(_sp(), [-1], id="inferred"), case(_CUBE, [3, -1, 2], id="cube"),
            case(_EMPTY, [8], id="empty"), case(_UNORDERED, [8], id="unordered"), bad(_sp(), [3, 3], id="size"),
            bad(_sp(), [-1, -1], id="two-inferred"), bad(_sp(), [3, -1], id="indivisible"),
            bad([1.0], [1], error="TypeError", id="dense"),
        ],
        "expand_dims": [
            *(case(_sp(), a, grad=(0,), id=f"axis{a}") for a in (None, 0, 1, 2, -1, -3)), case(_EMPTY, 0, id="empty"),
            bad(_sp(), 3, id="range"), bad(_sp(), -4, id="range-negative"),
        ],
        "transpose": [
            case(_sp(), grad=(0,), id="plain"), case(_CUBE, [2, 0, 1], grad=(0,), id="cube"), case(_sp("int32"), [0, 1], id="same"),
            case(_EMPTY, id="empty"), bad(_sp(), [0], error="ValueError", id="length"), bad(_sp(), [0, 2], id="range"),
        ],
        "reset_shape": [
            case(_sp(), id="smallest"), case(_sp(), [3, 5], grad=(0,), id="larger"), case(_CUBE, id="cube"),
            case(_EMPTY, id="empty"), bad(_sp(), [2, 3], error="ValueError", id="smaller"), bad(_sp(), [2, 4, 1], error="ValueError", id="rank"),
        ],
    }  # fmt: skip


def _parts() -> dict[str, list[Any]]:
    return {
        "slice": [
            case(_sp(), [0, 1], [2, 2], grad=(0,), id="plain"), case(_sp(), [1, 0], [5, 3], id="beyond"),
            case(_CUBE, [0, 1, 0], [2, 1, 2], grad=(0,), id="cube"), case(_sp(), [0, 0], [0, 4], id="nothing"),
            case(_WORDS, [1, 0], [1, 4], id="strings"), bad(_sp(), [0], [1], id="length"), case(_sp(), [-1, 0], [2, 2], id="before"),
        ],
        "split": [
            case(sp_input=_sp(), num_split=2, axis=1, id="columns"), case(sp_input=_sp(), num_split=3, axis=1, id="uneven"),
            case(sp_input=_sp(), num_split=2, axis=0, id="rows"), case(_CUBE, 3, 2, id="cube"), case(_sp(), 2, -1, id="negative-axis"),
            bad(_sp(), 0, 0, id="zero"), bad(_sp(), 3, 0, id="too-many"), bad(_sp(), 2, error="ValueError", id="missing"),
        ],
        "concat": [
            case(1, [_sp(), _other()], id="columns"), case(0, [_sp(), _other()], id="rows"), case(-1, [_sp("int32"), _other("int32")], id="last"),
            case(0, [_UNORDERED, _sp()], id="unordered"), case(0, [_sp(), _EMPTY, _sp(salt=3)], id="three"),
            case(0, [_sp()], id="one"), case(0, [_sp(), Sparse_([[0, 0]], [1.0], [1, 6])], True, id="expanding"),
            bad(0, [_sp(), Sparse_([[0, 0]], [1.0], [1, 6])], id="shapes"), bad(2, [_sp(), _other()], id="axis"),
            bad(0, [_sp(), _CUBE], id="ranks"), bad(0, [_sp(), _other("int32")], id="dtypes"), bad(0, [[1.0]], error="TypeError", id="dense"),
        ],
        "retain": [
            case(_sp(), [True, False, True], grad=(0,), id="plain"), case(_sp(), [False] * 3, id="none"),
            bad(_sp(), [True], error="ValueError", id="length"), bad([1.0], [True], error="TypeError", id="dense"),
        ],
        "fill_empty_rows": [
            case(Sparse_([[0, 1], [2, 0], [2, 1]], Arr((3,)), [5, 3]), 9.0, grad=(0,), id="plain"),
            case(Sparse_([[0, 1], [2, 0]], Arr((2,)), [4, 3]), Arr(()), grad=(0, 1), id="gradient"), case(_sp("int32"), 4, id="full"),
            case(_EMPTY, 1.0, id="empty"), case(Sparse_([[1, 0]], [b"a"], [2, 2]), "z", id="strings"),
            bad(_sp(), [1.0], id="rank"), bad(_OUTSIDE, 1.0, id="outside"), bad([1.0], 0.0, error="TypeError", id="dense"),
        ],
        "to_indicator": [
            case(Sparse_([[0, 0], [0, 1], [1, 1]], [2, 0, 1], [2, 2]), 4, id="plain"),
            case(Sparse_([[0, 0], [0, 1]], np.array([2, 2]), [2, 2]), 3, id="int64"),
            bad(_sp(), 4, id="floats"), bad(Sparse_([[0, 0]], [7], [1, 1]), 3, id="range"),
        ],
    }  # fmt: skip


def _arithmetic() -> dict[str, list[Any]]:
    two = [
        *(case(_sp(d), _other(d), grad=(0, 1), id=d) for d in ("float32", "float64")), case(_sp("int32"), _other("int32"), id="int32"),
        case(_sp(), _EMPTY, grad=(0,), id="with-empty"), case(_EMPTY, _EMPTY, id="empties"), case(_sp(), _sp(salt=1), grad=(0, 1), id="same-places"),
        bad(_sp(), Sparse_([[0, 0]], [1.0], [2, 5]), id="shapes"), bad(_sp(), _other("int32"), id="dtypes"),
    ]  # fmt: skip
    return {
        "add": [
            *two, case(_sp(), _DENSE, grad=(0, 1), id="sparse-dense"), case(_DENSE, _sp(), grad=(0, 1), id="dense-sparse"),
            case(_sp("complex64"), _other("complex64"), grad=(0, 1), id="complex"), case(_sp(), _other(), 1.0, grad=(0, 1), id="threshold"),
            case(_UNORDERED, _DENSE, id="unordered-dense"), bad(_DENSE, _DENSE, error="TypeError", id="dense"),
            bad(_sp(), Arr((2, 3)), id="dense-shapes"), bad(_sp(), _CUBE, id="ranks"),
        ],
        "maximum": [*two, case(_sp(), _sp(), grad=(0, 1), id="ties")],
        "minimum": [*two, case(_sp(), _sp(), grad=(0, 1), id="ties")],
        "softmax": [
            case(_sp(), grad=(0,), id="plain"), case(_CUBE, grad=(0,), id="cube"), case(_EMPTY, id="empty"),
            case(_sp("float64"), grad=(0,), id="float64"), case(_sp("float16"), id="float16"), bad(_VECTOR, id="vector"),
            bad(_sp("int32"), id="int32"),
        ],
        "sparse_dense_matmul": [
            *(case(_sp(d), Arr((4, 3), d), grad=(0, 1), id=d) for d in ("float32", "float64", "complex64")),
            *(case(_sp(d), Arr((4, 3), d), tol=2e-2, id=d) for d in ("float16", "bfloat16")), case(_sp("int32"), Arr((4, 3), "int32"), id="int32"),
            case(_sp("complex64"), Arr((3, 2), "complex64"), True, True, grad=(0, 1), id="adjoints"),
            case(_sp(), Arr((2, 3)), adjoint_a=True, grad=(0, 1), id="adjoint-a"), case(_sp(), Arr((3, 4)), adjoint_b=True, grad=(0, 1), id="adjoint-b"),
            case(Arr((3, 2)), _sp(), grad=(0, 1), id="dense-first"), case(_EMPTY, Arr((4, 3)), grad=(1,), id="empty"),
            case(_UNORDERED, Arr((4, 3)), grad=(0, 1), id="unordered"), case(_REPEATED, Arr((4, 3)), grad=(0, 1), id="repeated"),
            bad(_sp(), Arr((3, 3)), id="inner"), bad(_sp(), Arr((4,)), id="vector"), bad(_sp(), Arr((4, 3), "int32"), id="dtypes"),
            bad(_OUTSIDE, Arr((4, 3)), id="outside"), bad(_CUBE, Arr((3, 3)), id="cube"), bad([[1.0]], Arr((4, 3)), error="TypeError", id="dense"),
        ],
        "sampled_addmm": [case(_PLACES, Arr((3,)), [2, 4], Arr((2, 5), salt=1), Arr((5, 4), salt=2), 0.5, 2.0, id="plain")],
    }  # fmt: skip


def _reductions(gradient: bool) -> list[Any]:
    grad = (0,) if gradient else ()
    return [
        *(case(_CUBE, a, k, grad=grad, id=f"axis{a}{'-kept' if k else ''}") for a in (None, 0, 1, -1, [0, 2], [0, 1, 2]) for k in (None, True)),
        *(case(_CUBE, a, k, True, id=f"sparse-axis{a}{'-kept' if k else ''}") for a in (None, 0, 1, -1, [0, 2]) for k in (None, True)),
        case(_sp("int32"), 1, id="int32"), case(_EMPTY, 0, id="empty"), case(_EMPTY, 0, None, True, id="sparse-empty"),
        case(_REPEATED, 1, id="repeated"), case(_UNORDERED, 0, id="unordered"),
        bad(_sp(), 2, id="axis"),
    ]  # fmt: skip


def _counts() -> list[Any]:
    values = Sparse_([[0, 0], [0, 3], [1, 0], [1, 1]], [3, 1, 2, 2], [3, 4])
    weights = Sparse_([[0, 0], [0, 3], [1, 0], [1, 1]], [0.5, 1.0, 2.0, 3.0], [3, 4])
    return [
        case([1, 3, 3, 0], id="vector"), case([[1, 3, 3], [0, 0, 2]], id="matrix"), case([[1, 3, 3], [0, 0, 2]], axis=-1, id="rows"),
        case([1, 3, 3], minlength=6, id="minlength"), case([1, 3, 3], maxlength=2, id="maxlength"),
        case([1, 3, 3], minlength=3, maxlength=3, axis=-1, id="both"), case([[1, 3], [3, 5]], minlength=5, maxlength=5, axis=-1, id="both-rows"),
        case([1, 3, 3], binary_output=True, id="binary"), case([1, 3, 3], [0.5, 1.0, 2.0], id="weights"),
        case([[1, 3], [3, 3]], [[1, 2], [3, 4]], axis=-1, id="integer-weights"), bad([1, 3, 3], [0.5, 1.0, 2.0], binary_output=True, error="ValueError", id="binary-weights"),
        case(values, id="sparse"), case(values, axis=-1, id="sparse-rows"), case(values, weights, axis=-1, id="sparse-weights"),
        case(values, axis=-1, minlength=3, maxlength=3, binary_output=True, id="sparse-both"), case(np.zeros(0, np.int64), id="empty"),
        bad([1, -1], id="negative"), bad([1, 2], axis=1, error="ValueError", id="axis"), bad([1, 2], [1.0], id="weights-shape"),
    ]  # fmt: skip


def _segment_cases() -> list[Any]:
    return [
        case(Arr((4, 3)), [0, 2, 2], [0, 0, 1], grad=(0,), id="plain"), case(Arr((4,), "float64"), [3, 1], [0, 2], grad=(0,), id="gap"),
        case(Arr((4, 3)), [0, 1], [0, 2], 4, grad=(0,), id="count"), case(Arr((4, 3)), np.zeros(0, np.int32), np.zeros(0, np.int32), id="none"),
        bad(Arr((4, 3)), [0, 4], [0, 1], id="index"), bad(Arr((4, 3)), [0, 1], [1, 0], id="unsorted"), bad(Arr((4, 3)), [0, 1], [0], id="lengths"),
        bad(Arr((4, 3)), [0, 1], [0, 3], 2, id="beyond"),
    ]  # fmt: skip


def _lookups() -> list[Any]:
    return [
        *(case(_TABLE, _IDS, None, c, grad=(0,), id=str(c)) for c in (None, "sum", "mean", "sqrtn")),
        *(case(_TABLE, _IDS, _WEIGHTS, c, grad=(0, 2), id=f"weights-{c}") for c in ("sum", "mean", "sqrtn")),
        case(_TABLE, _IDS, None, "sum", 0.5, grad=(0,), id="max-norm"), case(Arr((4,)), _IDS, _WEIGHTS, "mean", id="scalars"),
        bad(_TABLE, _IDS, None, "product", error="ValueError", id="combiner"), bad(_TABLE, [[1]], None, error="TypeError", id="dense"),
        bad(_TABLE, Sparse_([[0, 0]], [4], [1, 1]), None, id="range"),
    ]  # fmt: skip


def _safe_lookups() -> list[Any]:
    return [
        case(_TABLE, _HOLES, grad=(0,), id="plain"), case(_TABLE, _HOLES, combiner="sum", grad=(0,), id="sum"),
        case(_TABLE, _HOLES, _HOLE_WEIGHTS, id="weights"), case(_TABLE, _HOLES, _HOLE_WEIGHTS, "sum", id="weights-sum"),
        case(_TABLE, _HOLES, None, "sqrtn", 2, grad=(0,), id="default"),
        case(_TABLE, Sparse_([[0, 0, 0], [1, 1, 1]], [1, 3], [2, 2, 2]), grad=(0,), id="rank3"),
    ]  # fmt: skip


for _name in (*_forms(), *_parts(), *_arithmetic()):
    sampled(f"sparse.{_name}", lambda _name=_name: {**_forms(), **_parts(), **_arithmetic()}[_name])  # type: ignore[misc]
sampled("sparse.reduce_sum", lambda: _reductions(True))
sampled("sparse.reduce_max", lambda: _reductions(False))
sampled("sparse.bincount", _counts)
for _name in ("sum", "mean", "sqrt_n"):
    sampled(f"sparse.segment_{_name}", _segment_cases)
sampled("nn.embedding_lookup_sparse", _lookups)
sampled("nn.safe_embedding_lookup_sparse", _safe_lookups)
