"""Assertions about tensors: values, ranks, shapes, dtypes, and the search for NaN and infinity."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import ml_dtypes
import numpy as np

import headwater._src.ops.compare as compare
import headwater._src.ops.host as host
from headwater._src.base.dtypes import as_dtype, float32, int32
from headwater._src.base.errors import invalid
from headwater._src.base.exporting import export
from headwater._src.base.shapes import TensorShape
from headwater._src.base.text import describe
from headwater._src.core.composite import SparseTensor
from headwater._src.core.convert import convert
from headwater._src.core.op import HOST_ONLY, op
from headwater._src.core.samples import Arr, Tensor_, bad, case, each, sampled
from headwater._src.core.tensor import EagerTensor, SymbolicTensor, Tensor, TensorLike, of_array

# -- comparisons of values --------------------------------------------------------------------------------------------


def _eager(tensor: Tensor, what: str) -> np.ndarray:
    if isinstance(tensor, SymbolicTensor):
        raise NotImplementedError(
            f"{what}: {tensor.name} is symbolic, and assertions inside a graph come with tf.function, which is not in this "
            "version of headwater."
        )
    assert isinstance(tensor, EagerTensor)
    return tensor._array


def _compare(what: str, sign: str, relation: Any, x: Any, y: Any, message: Any, summarize: Any) -> None:
    left = convert(x)
    right = convert(y, None, left.dtype)
    related = relation(left, right)
    if related.__class__ is SymbolicTensor:
        host.assert_later([related])
        return
    holds = _eager(related, what)
    if not np.all(holds):
        raise invalid(
            _disagreement(what, sign, holds, _eager(left, what), _eager(right, what), message, summarize)
        )


def _disagreement(
    what: str, sign: str, holds: np.ndarray, x: np.ndarray, y: np.ndarray, message: Any, summarize: Any
) -> str:
    show = 3 if summarize is None else int(summarize)
    wrong = np.argwhere(~holds)
    lines = [
        f"{message or ''} {what}: x {sign} y does not hold at {len(wrong)} of {holds.size} places.".strip()
    ]
    wide_x, wide_y = np.broadcast_to(x, holds.shape), np.broadcast_to(y, holds.shape)
    for index in wrong if show < 0 else wrong[:show]:
        place = tuple(int(i) for i in index)
        lines.append(f"  at {list(place)}: x = {wide_x[place]}, y = {wide_y[place]}")
    if len(lines) <= len(wrong):
        lines.append(f"  and {len(wrong) - len(lines) + 1} more")
    return "\n".join(lines)


@export("debugging.assert_equal", "assert_equal")
def assert_equal(x: Any, y: Any, message: Any = None, summarize: Any = None, name: str | None = None) -> None:
    """Raises InvalidArgumentError unless `x == y` everywhere; the two broadcast.

    Args:
      x, y: tensors of one dtype.
      message: put before the error's own text.
      summarize: how many places to show (default 3); -1 for all.
    """
    _compare("tf.debugging.assert_equal", "==", compare.equal, x, y, message, summarize)


@export("debugging.assert_none_equal")
def assert_none_equal(
    x: Any, y: Any, summarize: Any = None, message: Any = None, name: str | None = None
) -> None:
    """Raises InvalidArgumentError where `x == y` anywhere; arguments as in `assert_equal`."""
    _compare("tf.debugging.assert_none_equal", "!=", compare.not_equal, x, y, message, summarize)


@export("debugging.assert_less", "assert_less")
def assert_less(x: Any, y: Any, message: Any = None, summarize: Any = None, name: str | None = None) -> None:
    """Raises InvalidArgumentError unless `x < y` everywhere; arguments as in `assert_equal`."""
    _compare("tf.debugging.assert_less", "<", compare.less, x, y, message, summarize)


@export("debugging.assert_less_equal")
def assert_less_equal(
    x: Any, y: Any, message: Any = None, summarize: Any = None, name: str | None = None
) -> None:
    """Raises InvalidArgumentError unless `x <= y` everywhere; arguments as in `assert_equal`."""
    _compare("tf.debugging.assert_less_equal", "<=", compare.less_equal, x, y, message, summarize)


@export("debugging.assert_greater", "assert_greater")
def assert_greater(
    x: Any, y: Any, message: Any = None, summarize: Any = None, name: str | None = None
) -> None:
    """Raises InvalidArgumentError unless `x > y` everywhere; arguments as in `assert_equal`."""
    _compare("tf.debugging.assert_greater", ">", compare.greater, x, y, message, summarize)


@export("debugging.assert_greater_equal")
def assert_greater_equal(
    x: Any, y: Any, message: Any = None, summarize: Any = None, name: str | None = None
) -> None:
    """Raises InvalidArgumentError unless `x >= y` everywhere; arguments as in `assert_equal`."""
    _compare("tf.debugging.assert_greater_equal", ">=", compare.greater_equal, x, y, message, summarize)


def _against_zero(what: str, sign: str, relation: Any, x: Any, message: Any, summarize: Any) -> None:
    tensor = convert(x)
    if not tensor.dtype.is_numeric:
        raise TypeError(f"{what}: x must be numeric; got {describe(tensor)}.")
    _compare(what, sign, relation, tensor, of_array(np.zeros((), tensor.dtype.np)), message, summarize)


@export("debugging.assert_positive")
def assert_positive(x: Any, message: Any = None, summarize: Any = None, name: str | None = None) -> None:
    """Raises InvalidArgumentError unless `x > 0` everywhere; TypeError for what is not numeric."""
    _against_zero("tf.debugging.assert_positive", ">", compare.greater, x, message, summarize)


@export("debugging.assert_negative")
def assert_negative(x: Any, message: Any = None, summarize: Any = None, name: str | None = None) -> None:
    """Raises InvalidArgumentError unless `x < 0` everywhere; TypeError for what is not numeric."""
    _against_zero("tf.debugging.assert_negative", "<", compare.less, x, message, summarize)


@export("debugging.assert_non_negative")
def assert_non_negative(x: Any, message: Any = None, summarize: Any = None, name: str | None = None) -> None:
    """Raises InvalidArgumentError unless `x >= 0` everywhere; TypeError for what is not numeric."""
    _against_zero("tf.debugging.assert_non_negative", ">=", compare.greater_equal, x, message, summarize)


@export("debugging.assert_non_positive")
def assert_non_positive(x: Any, message: Any = None, summarize: Any = None, name: str | None = None) -> None:
    """Raises InvalidArgumentError unless `x <= 0` everywhere; TypeError for what is not numeric."""
    _against_zero("tf.debugging.assert_non_positive", "<=", compare.less_equal, x, message, summarize)


@export("debugging.assert_near")
def assert_near(
    x: Any,
    y: Any,
    rtol: Any = None,
    atol: Any = None,
    message: Any = None,
    summarize: Any = None,
    name: str | None = None,
) -> None:
    """Raises InvalidArgumentError unless `|x - y| <= atol + rtol * |y|` everywhere.

    Args:
      x, y: tensors of one floating dtype.
      rtol, atol: tolerances; each is 10 times the dtype's epsilon by default.
      message: put before the error's own text.
      summarize: how many places to show (default 3); -1 for all.

    Raises:
      ValueError: the dtypes differ or are not floating.
    """
    what = "tf.debugging.assert_near"
    left = convert(x)
    right = convert(y, left.dtype)
    if not (left.dtype.is_floating or left.dtype.is_complex):
        raise ValueError(
            f"{what}: x and y must be floating; got {describe(left)}. For others there is assert_equal."
        )
    if SymbolicTensor in (left.__class__, right.__class__):
        host.assert_later([left, right])
        return
    a, b = _eager(left, what), _eager(right, what)
    eps = 10 * float(ml_dtypes.finfo(left.dtype.real_dtype.np).eps)
    tolerances = [eps if t is None else float(convert(t, None, left.dtype.real_dtype)) for t in (rtol, atol)]  # type: ignore[arg-type]
    with np.errstate(all="ignore"):
        holds = np.asarray(
            np.abs(a - b) <= (tolerances[1] + tolerances[0] * np.abs(b)).astype(left.dtype.real_dtype.np)
        )
    if not np.all(holds):
        raise invalid(
            f"{_disagreement(what, '~', holds, a, b, message, summarize)}\n(rtol = {tolerances[0]:g}, atol = {tolerances[1]:g})"
        )


# -- ranks and shapes -------------------------------------------------------------------------------------------------


def _static_rank(value: Any, what: str) -> int:
    tensor = convert(value)
    if tensor.dtype != "int32" and tensor.dtype != "int64":
        raise TypeError(f"{what}: rank must be an int32 scalar; got {describe(tensor)}.")
    if tensor.shape.rank != 0:
        raise ValueError(f"{what}: rank must be a scalar; got {describe(tensor)}.")
    return int(_eager(tensor, what))


def _check_rank(what: str, x: Any, fits: Any, wanted: str, message: Any) -> None:
    tensor = x if isinstance(x, SparseTensor) else convert(x)
    rank = tensor.shape.rank
    if rank is not None and not fits(rank):
        raise ValueError(
            f"{message or ''} {what}: x must have {wanted}; got {describe(tensor)} of rank {rank}.".strip()
        )


@export("debugging.assert_rank", "assert_rank")
def assert_rank(x: Any, rank: Any, message: Any = None, name: str | None = None) -> None:
    """Raises ValueError unless `x` has this rank; TypeError for a rank that is no integer."""
    expected = _static_rank(rank, "tf.debugging.assert_rank")
    _check_rank("tf.debugging.assert_rank", x, lambda r: r == expected, f"rank {expected}", message)


@export("debugging.assert_rank_at_least")
def assert_rank_at_least(x: Any, rank: Any, message: Any = None, name: str | None = None) -> None:
    """Raises ValueError unless `x` has at least this rank."""
    least = _static_rank(rank, "tf.debugging.assert_rank_at_least")
    _check_rank(
        "tf.debugging.assert_rank_at_least", x, lambda r: r >= least, f"rank {least} or more", message
    )


@export("debugging.assert_rank_in")
def assert_rank_in(x: Any, ranks: Any, message: Any = None, name: str | None = None) -> None:
    """Raises ValueError unless the rank of `x` is one of `ranks`."""
    allowed = sorted(_static_rank(r, "tf.debugging.assert_rank_in") for r in ranks)
    _check_rank("tf.debugging.assert_rank_in", x, lambda r: r in allowed, f"a rank of {allowed}", message)


@export("debugging.assert_scalar")
def assert_scalar(tensor: Any, message: Any = None, name: str | None = None) -> None:
    """ValueError unless `tensor` is a scalar."""
    result = convert(tensor)
    if result.shape.rank not in (0, None):
        raise ValueError(
            f"{message or ''} tf.debugging.assert_scalar: a scalar was expected; got {describe(result)}.".strip()
        )


@export("debugging.assert_shapes")
def assert_shapes(
    shapes: Any, data: Any = None, summarize: Any = None, message: Any = None, name: str | None = None
) -> None:
    """Checks the shapes of several tensors, whose dimensions may be tied to each other by names.

    Args:
      shapes: list of pairs (tensor, shape), or a dictionary. A shape is a list of ints, of names (equal names stand for equal
        sizes) and of None for any size; it may begin or end with `...` or "*" for any number of dimensions.
      message: put before the error's own text.
      data, summarize: accepted for compatibility.

    Raises:
      ValueError: a shape does not fit.

    >>> tf.debugging.assert_shapes([(tf.zeros([2, 3]), ("N", "D")), (tf.zeros([3]), ("D",))])
    """
    sizes: dict[Any, tuple[int, str]] = {}
    for x, wanted in shapes.items() if isinstance(shapes, Mapping) else shapes:
        tensor = x if isinstance(x, SparseTensor) else convert(x.deref() if hasattr(x, "deref") else x)
        problem = _shape_problem(tensor, _symbols(wanted, tensor), sizes)
        if problem:
            raise ValueError(f"{message or ''} tf.debugging.assert_shapes: {problem}.".strip())


def _symbols(wanted: Any, tensor: Any) -> list[Any]:
    if isinstance(wanted, TensorShape):
        wanted = wanted.as_list()
    if not isinstance(wanted, Iterable) or isinstance(wanted, TensorLike):
        raise ValueError(
            f"tf.debugging.assert_shapes: the shape wanted of {describe(tensor)} must be iterable; got {wanted!r}."
        )
    return list(wanted)


def _is_any(symbol: Any) -> bool:
    return symbol is Ellipsis or (isinstance(symbol, str) and symbol in ("...", "*"))


def _shape_problem(tensor: Any, symbols: list[Any], sizes: dict[Any, tuple[int, str]]) -> str:
    rank = tensor.shape.rank
    if rank is None:
        return ""
    dims = tensor.shape.as_list()
    if not symbols:
        return "" if rank == 0 else f"{describe(tensor)} should be a scalar"
    gaps = [i for i, s in enumerate(symbols) if _is_any(s)]
    if len(gaps) > 1:
        return f"the shape {symbols} has more than one place for any number of dimensions"
    if gaps:
        before, after = symbols[: gaps[0]], symbols[gaps[0] + 1 :]
        if rank < len(before) + len(after):
            return f"{describe(tensor)} should have rank {len(before) + len(after)} or more for {symbols}"
        pairs = [*enumerate(before), *((rank - len(after) + i, s) for i, s in enumerate(after))]
    elif rank != len(symbols):
        return (
            ""
            if rank == 0 and symbols == ["."]
            else f"{describe(tensor)} should have rank {len(symbols)} for {symbols}"
        )
    else:
        pairs = list(enumerate(symbols))
    return next(
        (p for p in (_size_problem(tensor, axis, dims[axis], s, sizes) for axis, s in pairs) if p), ""
    )


def _size_problem(tensor: Any, axis: int, size: Any, symbol: Any, sizes: dict[Any, tuple[int, str]]) -> str:
    if size is None or symbol is None or symbol == ".":
        return ""
    try:
        wanted, origin = int(symbol), "as stated"
    except (TypeError, ValueError):
        wanted, origin = sizes.setdefault(
            symbol, (size, f"as {symbol!r} is in dimension {axis} of {describe(tensor)}")
        )
    return "" if size == wanted else f"dimension {axis} of {describe(tensor)} should be {wanted}, {origin}"


# -- dtypes and kinds -------------------------------------------------------------------------------------------------


@export("debugging.assert_type")
def assert_type(tensor: Any, tf_type: Any, message: Any = None, name: str | None = None) -> None:
    """Raises TypeError unless `tensor` has the dtype `tf_type`."""
    dtype = as_dtype(tf_type)
    value = tensor if isinstance(tensor, SparseTensor) else convert(tensor)
    if value.dtype != dtype:
        raise TypeError(
            f"{message or ''} tf.debugging.assert_type: expected {dtype.name}; got {describe(value)}.".strip()
        )


@export("debugging.assert_integer")
def assert_integer(x: Any, message: Any = None, name: str | None = None) -> None:
    """Raises TypeError unless `x` has an integer dtype."""
    tensor = convert(x)
    if not tensor.dtype.is_integer:
        raise TypeError(
            f"{message or ''} tf.debugging.assert_integer: x must be integer; got {describe(tensor)}.".strip()
        )


@export("debugging.assert_proper_iterable")
def assert_proper_iterable(values: Any) -> None:
    """Raises TypeError unless `values` is an iterable of several things: no tensor, array or string."""
    if isinstance(values, (TensorLike, np.ndarray, bytes, str)):
        raise TypeError(
            f"tf.debugging.assert_proper_iterable: a list or the like was expected; got {describe(values)}, which is one value."
        )
    if not hasattr(values, "__iter__"):
        raise TypeError(
            f"tf.debugging.assert_proper_iterable: an iterable was expected; got {describe(values)}."
        )


@export("debugging.assert_same_float_dtype")
def assert_same_float_dtype(tensors: Any = None, dtype: Any = None) -> Any:
    """The floating dtype that all of `tensors` have (and that is `dtype`, if given); float32 where nothing decides.

    Raises:
      ValueError: the dtypes differ or are not floating.
    """
    expected = None if dtype is None else as_dtype(dtype)
    for tensor in tensors or ():
        if expected is None:
            expected = as_dtype(tensor.dtype)
        elif expected != tensor.dtype:
            raise ValueError(
                f"tf.debugging.assert_same_float_dtype: {describe(tensor)} has not the dtype {expected.name} of the others."
            )
    expected = float32 if expected is None else expected
    if not expected.is_floating:
        raise ValueError(
            f"tf.debugging.assert_same_float_dtype: a floating dtype was expected; got {expected.name}."
        )
    return expected


@export("debugging.is_numeric_tensor")
def is_numeric_tensor(tensor: Any) -> bool:
    """Whether `tensor` is a tensor of numbers; Python values, strings and bools are not."""
    return isinstance(tensor, TensorLike) and as_dtype(tensor.dtype).is_numeric  # type: ignore[attr-defined]


# -- order ------------------------------------------------------------------------------------------------------------


def _neighbours(x: Any, what: str) -> tuple[np.ndarray, np.ndarray]:
    tensor = convert(x)
    if not tensor.dtype.is_numeric:
        raise TypeError(f"{what}: x must be numeric; got {describe(tensor)}.")
    flat = _eager(tensor, what).reshape(-1)
    return flat[:-1], flat[1:]


@export("math.is_strictly_increasing")
def is_strictly_increasing(x: Any, name: str | None = None) -> Tensor:
    """Whether each element, in row order, is greater than the one before; true for fewer than two."""
    before, after = _neighbours(x, "tf.math.is_strictly_increasing")
    return of_array(np.asarray(np.all(before < after)))


@export("math.is_non_decreasing")
def is_non_decreasing(x: Any, name: str | None = None) -> Tensor:
    """Whether each element, in row order, is at least the one before; true for fewer than two."""
    before, after = _neighbours(x, "tf.math.is_non_decreasing")
    return of_array(np.asarray(np.all(before <= after)))


# -- NaN and infinity -------------------------------------------------------------------------------------------------


def _check_numerics(tensor: np.ndarray, *, message: str) -> np.ndarray:
    if np.isfinite(tensor).all():
        return tensor
    kinds = [
        word for word, found in (
            ("NaN", np.isnan(tensor).any()), ("Inf", np.isposinf(tensor.astype(np.float64)).any()),
            ("-Inf", np.isneginf(tensor.astype(np.float64)).any()),
        ) if found
    ]  # fmt: skip
    raise invalid(
        f"{message} : tf.debugging.check_numerics found {' and '.join(kinds)} in {describe(tensor)}."
    )


_check_numerics_op = op(
    "CheckNumerics", "tensor: F -> tensor",
    numpy=_check_numerics,
    lower=HOST_ONLY("compiled code can't raise on values"),
    grad=lambda g, y, tensor, *, message: _check_numerics_op(g, message=message),
    attrs={"message": ""},
    stateful=True,
)  # fmt: skip


def _check_cases() -> list[Any]:
    return each(
        *(case(Arr((2, 3), d), "m", grad=(0,) if d in ("float32", "float64") else (), id=d)
          for d in ("float16", "bfloat16", "float32", "float64")),
        case(Arr((0,), "float32"), "m", id="empty"),
        bad(Arr((6,), "float32", special=True), "m", id="special"),
        bad(Arr((2,), "int32"), "m", id="int32"),
    )()  # fmt: skip


@export("debugging.check_numerics")
def check_numerics(tensor: Any, message: str, name: str | None = None) -> Tensor:
    """`tensor` itself, unless it has a NaN or an infinity: then InvalidArgumentError with `message`. Checks gradients too.

    Args:
      tensor: floating tensor.
      message: put before the error's own text.
    """
    return _check_numerics_op(tensor, message=str(message))


sampled("debugging.check_numerics", _check_cases)


@export("debugging.assert_all_finite")
def assert_all_finite(x: Any, message: str, name: str | None = None) -> Tensor:
    """The same as `tf.debugging.check_numerics`."""
    return _check_numerics_op(x, message=str(message))


@export("debugging.enable_check_numerics")
def enable_check_numerics(stack_height_limit: int = 30, path_length_limit: int = 50) -> None:
    """Not there yet: raises NotImplementedError."""
    raise NotImplementedError(
        "Checking every operation's result is not in this version of headwater; call tf.debugging.check_numerics where needed."
    )


@export("debugging.disable_check_numerics")
def disable_check_numerics() -> None:
    """Nothing to switch off: results are checked only where `check_numerics` is called."""


def _pairwise(good: Any, wrong: Any) -> Any:
    return lambda: [
        case(*good, id="holds"), case([], [], id="nothing"), case(good[0], good[1][0], id="broadcast"),
        bad(*wrong, id="fails"), bad([1.0, 2.0], [1.0, 2.0, 3.0], id="shapes"),
    ]  # fmt: skip


for _name, _good, _wrong in (
    ("equal", ([2, 2], [2, 2]), ([1], [2])),
    ("none_equal", ([1, 3], [2, 4]), ([1, 2], [3, 2])),
    ("less", ([1, 2], [3, 4]), ([1, 4], [2, 4])),
    ("less_equal", ([1, 3], [3, 3]), ([1, 5], [2, 4])),
    ("greater", ([5, 6], [3, 4]), ([1, 4], [0, 4])),
    ("greater_equal", ([3, 4], [3, 4]), ([1, 4], [2, 4])),
):
    sampled(f"debugging.assert_{_name}", _pairwise(_good, _wrong))
for _name, _fits, _misfits in (
    ("positive", [1.0, 2.0], [1.0, 0.0]),
    ("negative", [-1.0, -2.0], [-1.0, 0.0]),
    ("non_negative", [0.0, 1.0], [0.0, -1.0]),
    ("non_positive", [0.0, -1.0], [0.0, 1.0]),
):
    sampled(
        f"debugging.assert_{_name}",
        each(case(_fits, id="holds"), case([], id="nothing"), bad(_misfits, id="fails")),
    )
sampled(
    "debugging.assert_near",
    lambda: [
        case([1.0, 2.0], [1.0, 2.000001], id="holds"), case([1.0], [1.05], atol=0.1, id="atol"), case([10.0], [10.5], rtol=0.1, id="rtol"),
        bad([1.0, 2.0], [1.0, 2.1], id="fails"), bad([1.0], [1.2], atol=0.1, id="too-far"),
    ],
)  # fmt: skip
sampled(
    "debugging.assert_rank",
    lambda: [case(Arr((2, 3)), 2), bad(Arr((2, 3)), 1, error="ValueError", id="other")],
)
sampled(
    "debugging.assert_rank_at_least",
    lambda: [case(Arr((2, 3)), 1), bad(Arr((2,)), 2, error="ValueError", id="low")],
)
sampled(
    "debugging.assert_rank_in",
    lambda: [case(Arr((2, 3)), (1, 2)), bad(Arr(()), (1, 2), error="ValueError", id="none")],
)
sampled("debugging.assert_scalar", lambda: [case(Arr(())), bad(Arr((2,)), error="ValueError", id="vector")])
sampled(
    "debugging.assert_integer",
    lambda: [case(Arr((2,), "int64")), bad(Arr((2,)), error="TypeError", id="floats")],
)
sampled(
    "debugging.assert_type",
    lambda: [case(Tensor_(Arr((2,))), float32), bad(Tensor_(Arr((2,))), int32, error="TypeError", id="other")],
)  # fmt: skip
sampled(
    "debugging.assert_shapes",
    lambda: [
        case([(Arr((2, 3)), ("n", 3)), (Arr((2,)), ("n",))], id="holds"),
        bad([(Arr((2, 3)), ("n", 3)), (Arr((4,)), ("n",))], error="ValueError", id="symbol"),
        bad([(Arr((2, 3)), (2, 2))], error="ValueError", id="size"),
    ],
)
sampled(
    "debugging.is_numeric_tensor",
    lambda: [
        case(Tensor_(Arr((2,)))),
        case(Tensor_(Arr((2,), "string")), id="string"),
        case(3.0, id="number"),
    ],
)
sampled("debugging.assert_all_finite", lambda: [case([1.0, 2.0], "fine")])
for _name in ("math.is_strictly_increasing", "math.is_non_decreasing"):
    sampled(
        _name,
        lambda: [
            case([1.0, 2.0, 3.0], id="rising"), case([1, 2, 2], id="level"), case([3.0, 1.0], id="falling"), case([], id="nothing"),
            case([[1, 2], [3, 4]], id="matrix"), case([np.nan, 1.0], id="nan"),
        ],
    )  # fmt: skip
