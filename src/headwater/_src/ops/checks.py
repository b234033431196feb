"""Assertions about tensors: values, ranks, shapes, dtypes, and the search for NaN and infinity."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import ml_dtypes
import numpy as np

import headwater._src.ops.compare as compare
import headwater._src.ops.host as host
import headwater._src.ops.layout as layout
import headwater._src.ops.math as math
import headwater._src.ops.reduce as reduce
from headwater._src.base import dtypes
from headwater._src.base.dtypes import as_dtype, float32, int32
from headwater._src.base.errors import invalid
from headwater._src.base.exporting import export
from headwater._src.base.frames import user_line
from headwater._src.base.shapes import TensorShape
from headwater._src.base.text import describe
from headwater._src.core import call as calls
from headwater._src.core.composite import SparseTensor
from headwater._src.core.context import ctx, tracing
from headwater._src.core.convert import convert
from headwater._src.core.op import REGISTRY, op
from headwater._src.core.samples import Arr, Tensor_, bad, case, each, sampled
from headwater._src.core.tensor import Tensor, TensorLike, of_array
from headwater._src.engine.tape import outside_graphs
from headwater._src.ops.cast import cast

# -- comparisons of values --------------------------------------------------------------------------------------------


def _compare(
    what: str, sign: str, relation: Any, x: Any, y: Any, message: Any, summarize: Any, name: str | None = None
) -> Any:
    left = convert(x)
    right = convert(y, None, left.dtype)
    explain = _Disagreement(what, sign, message, summarize)
    if ctx.graph is None:
        return _settle(relation(left, right)._array, left._array, right._array, explain)  # type: ignore[attr-defined]
    known = host.static_value(left), host.static_value(right)
    if known[0] is None or known[1] is None:
        return host.add_assertion(relation(left, right), [left, right], explain, name)
    with outside_graphs():
        holds = relation(of_array(known[0]), of_array(known[1]))._array
    return _settle(holds, *known, explain)


def _settle(holds: np.ndarray, x: np.ndarray, y: np.ndarray, explain: Any) -> Any:
    """The result of a check whose outcome is known."""
    if not holds.all():
        raise invalid(explain(holds, x, y))
    return host.nothing_to_do()


class _Disagreement:
    """The text of a failed comparison."""

    def __init__(self, what: str, sign: str, message: Any, summarize: Any, note: str = "") -> None:
        self.given = what, sign, message, 3 if summarize is None else int(summarize), note

    def __call__(self, holds: np.ndarray, x: np.ndarray, y: np.ndarray) -> str:
        what, sign, message, show, note = self.given
        return _disagreement(what, sign, holds, x, y, message, show) + note


def _disagreement(
    what: str, sign: str, holds: np.ndarray, x: np.ndarray, y: np.ndarray, message: Any, show: int
) -> str:
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
def assert_equal(x: Any, y: Any, message: Any = None, summarize: Any = None, name: str | None = None) -> Any:
    """Raises InvalidArgumentError unless `x == y` everywhere; the two broadcast.

    Args:
      x, y: tensors of one dtype.
      message: put before the error's own text.
      summarize: how many places to show (default 3); -1 for all.
    """
    return _compare("tf.debugging.assert_equal", "==", compare.equal, x, y, message, summarize, name)


@export("debugging.assert_none_equal")
def assert_none_equal(
    x: Any, y: Any, summarize: Any = None, message: Any = None, name: str | None = None
) -> Any:
    """Raises InvalidArgumentError where `x == y` anywhere; arguments as in `assert_equal`."""
    return _compare("tf.debugging.assert_none_equal", "!=", compare.not_equal, x, y, message, summarize, name)


@export("debugging.assert_less", "assert_less")
def assert_less(x: Any, y: Any, message: Any = None, summarize: Any = None, name: str | None = None) -> Any:
    """Raises InvalidArgumentError unless `x < y` everywhere; arguments as in `assert_equal`."""
    return _compare("tf.debugging.assert_less", "<", compare.less, x, y, message, summarize, name)


@export("debugging.assert_less_equal")
def assert_less_equal(
    x: Any, y: Any, message: Any = None, summarize: Any = None, name: str | None = None
) -> Any:
    """Raises InvalidArgumentError unless `x <= y` everywhere; arguments as in `assert_equal`."""
    return _compare(
        "tf.debugging.assert_less_equal", "<=", compare.less_equal, x, y, message, summarize, name
    )


@export("debugging.assert_greater", "assert_greater")
def assert_greater(
    x: Any, y: Any, message: Any = None, summarize: Any = None, name: str | None = None
) -> Any:
    """Raises InvalidArgumentError unless `x > y` everywhere; arguments as in `assert_equal`."""
    return _compare("tf.debugging.assert_greater", ">", compare.greater, x, y, message, summarize, name)


@export("debugging.assert_greater_equal")
def assert_greater_equal(
    x: Any, y: Any, message: Any = None, summarize: Any = None, name: str | None = None
) -> Any:
    """Raises InvalidArgumentError unless `x >= y` everywhere; arguments as in `assert_equal`."""
    return _compare(
        "tf.debugging.assert_greater_equal", ">=", compare.greater_equal, x, y, message, summarize, name
    )


def _against_zero(
    what: str, sign: str, relation: Any, x: Any, message: Any, summarize: Any, name: str | None = None
) -> Any:
    tensor = convert(x)
    if not tensor.dtype.is_numeric:
        raise TypeError(f"{what}: x must be numeric; got {describe(tensor)}.")
    zero = of_array(np.zeros((), tensor.dtype.np))
    return _compare(what, sign, relation, tensor, zero, message, summarize, name)


@export("debugging.assert_positive")
def assert_positive(x: Any, message: Any = None, summarize: Any = None, name: str | None = None) -> Any:
    """Raises InvalidArgumentError unless `x > 0` everywhere; TypeError for what is not numeric."""
    return _against_zero("tf.debugging.assert_positive", ">", compare.greater, x, message, summarize, name)


@export("debugging.assert_negative")
def assert_negative(x: Any, message: Any = None, summarize: Any = None, name: str | None = None) -> Any:
    """Raises InvalidArgumentError unless `x < 0` everywhere; TypeError for what is not numeric."""
    return _against_zero("tf.debugging.assert_negative", "<", compare.less, x, message, summarize, name)


@export("debugging.assert_non_negative")
def assert_non_negative(x: Any, message: Any = None, summarize: Any = None, name: str | None = None) -> Any:
    """Raises InvalidArgumentError unless `x >= 0` everywhere; TypeError for what is not numeric."""
    return _against_zero(
        "tf.debugging.assert_non_negative", ">=", compare.greater_equal, x, message, summarize, name
    )


@export("debugging.assert_non_positive")
def assert_non_positive(x: Any, message: Any = None, summarize: Any = None, name: str | None = None) -> Any:
    """Raises InvalidArgumentError unless `x <= 0` everywhere; TypeError for what is not numeric."""
    return _against_zero(
        "tf.debugging.assert_non_positive", "<=", compare.less_equal, x, message, summarize, name
    )


@export("debugging.assert_near")
def assert_near(
    x: Any,
    y: Any,
    rtol: Any = None,
    atol: Any = None,
    message: Any = None,
    summarize: Any = None,
    name: str | None = None,
) -> Any:
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
    real = left.dtype.real_dtype
    eps = 10 * float(ml_dtypes.finfo(real.np).eps)
    relative, absolute = (convert(eps if t is None else t, None, real) for t in (rtol, atol))
    distance = math.abs_(math.subtract(left, right))
    holds = compare.less_equal(distance, math.add(absolute, math.multiply(relative, math.abs_(right))))
    if ctx.graph is not None:
        explain = _Disagreement(what, "~", message, summarize)
        return host.add_assertion(holds, [left, right], explain, name)
    note = f"\n(rtol = {float(relative):g}, atol = {float(absolute):g})"  # type: ignore[arg-type]
    explain = _Disagreement(what, "~", message, summarize, note)
    return _settle(holds._array, left._array, right._array, explain)  # type: ignore[attr-defined]


# -- ranks and shapes -------------------------------------------------------------------------------------------------


def _rank_of(value: Any, what: str) -> Tensor:
    tensor = convert(value)
    if tensor.dtype != "int32" and tensor.dtype != "int64":
        raise TypeError(f"{what}: rank must be an int32 scalar; got {describe(tensor)}.")
    if tensor.shape.rank not in (0, None):
        raise ValueError(f"{what}: rank must be a scalar; got {describe(tensor)}.")
    return tensor


class _Misfit:
    """The text of a failed check of a rank or a size, which are the first of the data."""

    def __init__(self, what: str, message: Any, text: str) -> None:
        self.given = what, message, text

    def __call__(self, holds: np.ndarray, got: np.ndarray, *wanted: np.ndarray) -> str:
        what, message, text = self.given
        one_of = " or ".join(str(w.item()) for w in wanted)
        return f"{message or ''} {what}: {text.format(one_of)}; got {got.item()}.".strip()


def _check_rank(
    what: str, x: Any, relation: Any, ranks: Sequence[Any], text: str, message: Any, name: Any
) -> Any:
    """Checks `relation(rank of x, r)` for one of `ranks` at least: at once where all is known, else when the graph runs."""
    wanted = [_rank_of(r, what) for r in ranks]
    known = [host.static_value(r) for r in wanted]
    tensor = x if isinstance(x, SparseTensor) else convert(x)
    rank = tensor.shape.rank
    if rank is None or any(k is None for k in known):
        found = layout.rank(tensor)
        holds = relation(found, cast(wanted[0], dtypes.int32))
        for other in wanted[1:]:
            holds = compare.logical_or(holds, relation(found, cast(other, dtypes.int32)))
        return host.add_assertion(
            holds, [found, *wanted], _Misfit(what, message, "x must have " + text), name
        )
    values = sorted(int(k) for k in known)  # type: ignore[arg-type]
    if not any(relation.op.numpy(rank, v) for v in values):
        wanted_text = text.format(" or ".join(map(str, values)))
        raise ValueError(
            f"{message or ''} {what}: x must have {wanted_text}; got {describe(tensor)} of rank {rank}.".strip()
        )
    return host.nothing_to_do(name)


@export("debugging.assert_rank", "assert_rank")
def assert_rank(x: Any, rank: Any, message: Any = None, name: str | None = None) -> Any:
    """Raises ValueError unless `x` has this rank; TypeError for a rank that is no integer.

    A rank that only a running graph knows is checked then, with InvalidArgumentError.
    """
    return _check_rank("tf.debugging.assert_rank", x, compare.equal, [rank], "rank {}", message, name)


@export("debugging.assert_rank_at_least")
def assert_rank_at_least(x: Any, rank: Any, message: Any = None, name: str | None = None) -> Any:
    """Raises ValueError unless `x` has at least this rank; when a graph runs, InvalidArgumentError."""
    what = "tf.debugging.assert_rank_at_least"
    return _check_rank(what, x, compare.greater_equal, [rank], "rank {} or more", message, name)


@export("debugging.assert_rank_in")
def assert_rank_in(x: Any, ranks: Any, message: Any = None, name: str | None = None) -> Any:
    """Raises ValueError unless the rank of `x` is one of `ranks`; when a graph runs, InvalidArgumentError."""
    return _check_rank("tf.debugging.assert_rank_in", x, compare.equal, list(ranks), "rank {}", message, name)


@export("debugging.assert_scalar")
def assert_scalar(tensor: Any, message: Any = None, name: str | None = None) -> None:
    """Raises ValueError unless `tensor` is a scalar; for a tensor of unknown rank too."""
    result = convert(tensor)
    if result.shape.rank != 0:
        raise ValueError(
            f"{message or ''} tf.debugging.assert_scalar: a scalar was expected; got {describe(result)}.".strip()
        )


@export("debugging.assert_shapes")
def assert_shapes(
    shapes: Any, data: Any = None, summarize: Any = None, message: Any = None, name: str | None = None
) -> Any:
    """Checks the shapes of several tensors, whose dimensions may be tied to each other by names.

    Args:
      shapes: list of pairs (tensor, shape), or a dictionary. A shape is a list of ints, of names (equal names stand for equal
        sizes) and of None for any size; it may begin or end with `...` or "*" for any number of dimensions.
      message: put before the error's own text.
      data, summarize: accepted for compatibility.

    Raises:
      ValueError: a shape does not fit.
      InvalidArgumentError: the same, found when a graph runs.

    >>> tf.debugging.assert_shapes([(tf.zeros([2, 3]), ("N", "D")), (tf.zeros([3]), ("D",))])
    """
    sizes: dict[Any, tuple[Any, str]] = {}
    last = None

    def later(relation: Any, found: Any, wanted: Any, text: str) -> None:
        nonlocal last
        explain = _Misfit("tf.debugging.assert_shapes", message, text)
        last = host.add_assertion(relation(found, wanted), [found, wanted], explain, name)

    for x, wanted in shapes.items() if isinstance(shapes, Mapping) else shapes:
        tensor = x if isinstance(x, SparseTensor) else convert(x.deref() if hasattr(x, "deref") else x)
        problem = _shape_problem(tensor, _symbols(wanted, tensor), sizes, later)
        if problem:
            raise ValueError(f"{message or ''} tf.debugging.assert_shapes: {problem}.".strip())
    return host.nothing_to_do(name) if last is None else last


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


def _shape_problem(tensor: Any, symbols: list[Any], sizes: dict[Any, tuple[Any, str]], later: Any) -> str:
    """What is wrong with a shape as far as it is known; `later` checks the rest."""
    rank = tensor.shape.rank
    gaps = [i for i, s in enumerate(symbols) if _is_any(s)]
    if len(gaps) > 1:
        return f"the shape {symbols} has more than one place for any number of dimensions"
    count = len(symbols) - len(gaps)
    if rank is None:
        relation = compare.greater_equal if gaps else compare.equal
        later(relation, layout.rank(tensor), convert(count), f"{describe(tensor)} should have rank {{}}")
    elif not symbols:
        return "" if rank == 0 else f"{describe(tensor)} should be a scalar"
    elif gaps and rank < count:
        return f"{describe(tensor)} should have rank {count} or more for {symbols}"
    elif not gaps and rank != count:
        single = rank == 0 and symbols == ["."]
        return "" if single else f"{describe(tensor)} should have rank {count} for {symbols}"
    before, after = (symbols[: gaps[0]], symbols[gaps[0] + 1 :]) if gaps else (symbols, [])
    pairs = [*enumerate(before), *((i - len(after), s) for i, s in enumerate(after))]
    return next((p for p in (_size_problem(tensor, axis, s, sizes, later) for axis, s in pairs) if p), "")


def _size_problem(tensor: Any, axis: int, symbol: Any, sizes: dict[Any, tuple[Any, str]], later: Any) -> str:
    if symbol is None or symbol == ".":
        return ""
    dims = tensor.shape.as_list() if tensor.shape.rank is not None else None
    size = None if dims is None else dims[axis]
    if size is None:
        size = layout.shape(tensor)[axis]
    try:
        wanted, origin = int(symbol), "as stated"
    except (TypeError, ValueError):
        wanted, origin = sizes.setdefault(
            symbol, (size, f"as {symbol!r} is in dimension {axis} of {describe(tensor)}")
        )
    text = f"dimension {axis} of {describe(tensor)} should be {{}}, {origin}"
    if wanted is size:
        return ""
    if isinstance(size, Tensor) or isinstance(wanted, Tensor):
        later(compare.equal, convert(size), convert(wanted), text)
        return ""
    return "" if size == wanted else text.format(wanted)


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


def _neighbours(x: Any, what: str) -> tuple[Any, Any]:
    tensor = convert(x)
    if not tensor.dtype.is_numeric:
        raise TypeError(f"{what}: x must be numeric; got {describe(tensor)}.")
    flat = layout.reshape(tensor, [-1])
    return flat[:-1], flat[1:]


@export("math.is_strictly_increasing")
def is_strictly_increasing(x: Any, name: str | None = None) -> Tensor:
    """Whether each element, in row order, is greater than the one before; true for fewer than two."""
    return reduce.reduce_all(compare.less(*_neighbours(x, "tf.math.is_strictly_increasing")))


@export("math.is_non_decreasing")
def is_non_decreasing(x: Any, name: str | None = None) -> Tensor:
    """Whether each element, in row order, is at least the one before; true for fewer than two."""
    return reduce.reduce_all(compare.less_equal(*_neighbours(x, "tf.math.is_non_decreasing")))


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
    lower=lambda tensor, *, message: tensor,  # as in TensorFlow, compiled programs check nothing
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


class _Watch:
    """Every call goes through `check` while it is on, in all threads."""

    safe = frozenset(
        "Identity Reshape Maximum Minimum ConcatV2 Slice StridedSlice Transpose Fill Squeeze ExpandDims Unpack CheckNumerics".split()
    )
    """What only hands on values: eagerly not looked at. In a graph everything is."""

    def __init__(self) -> None:
        self.call: Any = None
        self.lock = threading.Lock()

    def start(self) -> None:
        with self.lock:
            if self.call is None:
                self.call = calls.call
                self._route(self._checked)
                tracing.append(self)  # so that entries leave their fast way

    def stop(self) -> None:
        with self.lock:
            if self.call is not None:
                tracing.remove(self)
                self._route(self.call)
                self.call = None

    @staticmethod
    def _route(call: Any) -> None:
        calls.call = call
        for record in REGISTRY.values():
            record.entry.__globals__["call"] = call

    def _checked(self, record: Any, args: Any, attrs: dict[str, Any], name: str | None = None) -> Any:
        call = self.call or calls.call
        result = call(record, args, attrs, name)
        if record.name == "CheckNumerics" or (ctx.graph is None and record.name in self.safe):
            return result
        if record.single:
            return self._look(record, result, "")
        return tuple(self._look(record, r, f" {i}") for i, r in enumerate(result))

    @staticmethod
    def _look(record: Any, tensor: Any, which: str) -> Any:
        if not isinstance(tensor, Tensor) or not tensor.dtype.is_floating:
            return tensor
        what = f"Result{which} of {record.title}"
        if ctx.graph is not None:
            return _check_numerics_op(tensor, message=what)
        if not np.isfinite(tensor._array).all():  # type: ignore[attr-defined]
            line = user_line()
            _check_numerics(tensor._array, message=f"{what}{f' at {line}' if line else ''}")  # type: ignore[attr-defined]
        return tensor


_watch = _Watch()


@export("debugging.enable_check_numerics")
def enable_check_numerics(stack_height_limit: int = 30, path_length_limit: int = 50) -> None:
    """From now on an operation that gives a NaN or an infinity raises InvalidArgumentError, naming it and the line.

    Functions are checked where they are traced from now on, and keep their checks; compiled programs leave them out. Operations
    that only hand on values are not looked at eagerly.

    Args:
      stack_height_limit, path_length_limit: accepted for compatibility.
    """
    _watch.start()


@export("debugging.disable_check_numerics")
def disable_check_numerics() -> None:
    """Ends what `enable_check_numerics` began."""
    _watch.stop()


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
