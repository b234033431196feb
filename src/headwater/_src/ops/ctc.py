"""Connectionist temporal classification: the loss, the decoders, and what they need of labels.

Graves et al., 2006. The loss runs the forward and backward recursions over the labels with blanks between them in log
space, for the whole batch at once; its gradient comes out of the same pass.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import headwater._src.ops.compare as compare
import headwater._src.ops.create as create
import headwater._src.ops.gather as gathering
import headwater._src.ops.joining as joining
import headwater._src.ops.layout as layout
import headwater._src.ops.math as math
import headwater._src.ops.reduce as reduce
import headwater._src.ops.scans as scans
import headwater._src.ops.sparse as sparse
from headwater._src.base import dtypes
from headwater._src.base.errors import FailedPreconditionError, invalid
from headwater._src.base.exporting import export
from headwater._src.base.lazy import jax, jnp, lax
from headwater._src.base.shapes import Partial
from headwater._src.core.composite import SparseTensor
from headwater._src.core.convert import convert
from headwater._src.core.op import HOST_ONLY, NONDIFF, op
from headwater._src.core.samples import Arr, bad, case, sampled
from headwater._src.core.spec import Spec
from headwater._src.core.tensor import Tensor
from headwater._src.ops.cast import cast

# -- the recursions ---------------------------------------------------------------------------------------------------


def _extended(xp: Any, labels: Any, blank: int) -> tuple[Any, Any]:
    """Labels with blanks around each, [batch, 2 n + 1], and where a step over the blank before is allowed."""
    batch, count = labels.shape
    blanks = xp.full((batch, count, 1), blank, labels.dtype)
    paired = xp.concatenate([blanks, labels[:, :, None]], 2).reshape(batch, 2 * count)
    symbols = xp.concatenate([paired, xp.full((batch, 1), blank, labels.dtype)], 1)
    before = (
        xp.concatenate([xp.full((batch, 2), blank, labels.dtype), symbols[:, :-2]], 1) if count else symbols
    )
    # By position, not by class: a label may itself be the blank's class, and TensorFlow treats it as any other.
    return symbols, (xp.arange(2 * count + 1) % 2 == 1) & (symbols != before)


def _shifted(xp: Any, x: Any, by: int) -> Any:
    """`x` moved right by one or two places, with minus infinity coming in."""
    width = x.shape[1]
    edge = xp.full((x.shape[0], min(by, width)), -np.inf, x.dtype)
    return xp.concatenate([edge, x[:, : max(width - by, 0)]], 1)


def _step(xp: Any, x: Any, skip: Any) -> Any:
    """log of the sum over staying, moving on by one and, where allowed, by two."""
    two = xp.where(skip, _shifted(xp, x, 2), -np.inf)
    return xp.logaddexp(xp.logaddexp(x, _shifted(xp, x, 1)), two)


def _backward_step(xp: Any, x: Any, skip: Any) -> Any:
    return _step(xp, x[:, ::-1], xp.concatenate([xp.zeros_like(skip[:, :2]), skip[:, 2:][:, ::-1]], 1))[
        :, ::-1
    ]


def _starts(xp: Any, symbols: Any, dtype: Any) -> Any:
    width = symbols.shape[1]
    return xp.where(np.arange(width) < 2, np.zeros((), dtype), np.full((), -np.inf, dtype))[None, :]


def _ends(xp: Any, symbols: Any, label_length: Any, dtype: Any) -> Any:
    """0 at the last label and the blank after it, minus infinity elsewhere."""
    place = np.arange(symbols.shape[1])[None, :]
    last = 2 * label_length[:, None]
    return xp.where((place == last) | (place == last - 1), np.zeros((), dtype), np.full((), -np.inf, dtype))


def _alphas_numpy(emit: np.ndarray, symbols: np.ndarray, skip: np.ndarray) -> np.ndarray:
    alphas = np.empty_like(emit)
    alphas[0] = emit[0] + _starts(np, symbols, emit.dtype)
    for t in range(1, len(emit)):
        alphas[t] = emit[t] + _step(np, alphas[t - 1], skip)
    return alphas


def _betas_numpy(
    emit: np.ndarray, ends: np.ndarray, skip: np.ndarray, logit_length: np.ndarray
) -> np.ndarray:
    betas = np.empty_like(emit)
    beta = np.full_like(ends, -np.inf)
    for t in range(len(emit) - 1, -1, -1):
        if t + 1 < len(emit):
            beta = _backward_step(np, beta + emit[t + 1], skip)
        beta = np.where((t == logit_length - 1)[:, None], ends, beta)  # type: ignore[index]
        betas[t] = beta
    return betas


def _alphas_lower(emit: Any, symbols: Any, skip: Any) -> Any:
    first = emit[0] + _starts(jnp, symbols, emit.dtype)

    def step(alpha: Any, now: Any) -> Any:
        alpha = now + _step(jnp, alpha, skip)
        return alpha, alpha

    return jnp.concatenate([first[None], lax.scan(step, first, emit[1:])[1]], 0)


def _betas_lower(emit: Any, ends: Any, skip: Any, logit_length: Any) -> Any:
    following = jnp.concatenate([emit[1:], jnp.zeros_like(emit[:1])], 0)

    def step(beta: Any, now: Any) -> Any:
        t, coming = now
        beta = jnp.where((t == logit_length - 1)[:, None], ends, _backward_step(jnp, beta + coming, skip))
        return beta, beta

    times = jnp.arange(emit.shape[0], dtype=logit_length.dtype)
    return lax.scan(step, jnp.full_like(ends, -np.inf), (times, following), reverse=True)[1]


def _log_softmax(xp: Any, logits: Any) -> Any:
    top = xp.max(logits, 2, keepdims=True)
    return logits - top - xp.log(xp.sum(xp.exp(logits - top), 2, keepdims=True))


def _emitted(xp: Any, values: Any, symbols: Any) -> Any:
    """What each frame gives to each place: [time, batch, places]."""
    return xp.take_along_axis(values, xp.broadcast_to(symbols[None], (len(values), *symbols.shape)), 2)


def _total(xp: Any, joint: Any) -> Any:
    """The logarithm of the sum over the last dimension, minus infinity where all is."""
    best = xp.max(joint, -1, keepdims=True)
    safe = xp.where(xp.isfinite(best), best, np.zeros((), joint.dtype))
    return safe + xp.log(xp.sum(xp.exp(joint - safe), -1, keepdims=True))


def _loss(xp: Any, logits: Any, labels: Any, label_length: Any, logit_length: Any, blank: int) -> Any:
    """Loss [batch]: the forward recursion alone."""
    time, batch, classes = logits.shape
    if not time or not batch:
        return xp.zeros((batch,), logits.dtype)
    symbols, skip = _extended(xp, labels, blank % classes)
    emit = _emitted(xp, _log_softmax(xp, logits), symbols)
    alphas = (_alphas_numpy if xp is np else _alphas_lower)(emit, symbols, skip)
    last = xp.take_along_axis(alphas, xp.maximum(logit_length - 1, 0)[None, :, None], 0)[0]
    return -_total(xp, last + _ends(xp, symbols, label_length, logits.dtype))[:, 0].astype(logits.dtype)


def _shares(xp: Any, joint: Any) -> Any:
    """How probable it is that a path stands at each place, [time, batch, places]; 0 where there is no path."""
    total = _total(xp, joint)
    return xp.where(
        xp.isfinite(total), xp.exp(joint - xp.where(xp.isfinite(total), total, 0)), np.zeros((), joint.dtype)
    )


def _gradient(xp: Any, logits: Any, labels: Any, label_length: Any, logit_length: Any, blank: int) -> Any:
    """The derivative of the loss by the logits: the softmax less the share of paths through each class."""
    time, batch, classes = logits.shape
    if not time or not batch:
        return xp.zeros(logits.shape, logits.dtype)
    log_probs = _log_softmax(xp, logits)
    symbols, skip = _extended(xp, labels, blank % classes)
    emit = _emitted(xp, log_probs, symbols)
    ends = _ends(xp, symbols, label_length, logits.dtype)
    alphas = (_alphas_numpy if xp is np else _alphas_lower)(emit, symbols, skip)
    betas = (_betas_numpy if xp is np else _betas_lower)(emit, ends, skip, logit_length)
    gradient = xp.exp(log_probs) - _by_class(xp, _shares(xp, alphas + betas), symbols, classes)
    return xp.where(_inside(time, logit_length), gradient, np.zeros((), logits.dtype)).astype(logits.dtype)


def _inside(time: int, logit_length: Any) -> Any:
    return (np.arange(time)[:, None] < logit_length[None, :])[:, :, None]


def _by_class(xp: Any, shares: Any, symbols: Any, classes: int) -> Any:
    """The shares of places that hold the same symbol added up: [time, batch, classes]."""
    one_hot = (symbols[:, :, None] == np.arange(classes)).astype(shares.dtype)
    return xp.matmul(shares.transpose(1, 0, 2), one_hot).transpose(1, 0, 2)


# -- the directional derivative of the gradient -----------------------------------------------------------------------


def _moved(x: np.ndarray, by: int) -> np.ndarray:
    out = np.zeros_like(x)
    out[:, by:] = x[:, : max(x.shape[1] - by, 0)]
    return out


def _step_tangent(x: np.ndarray, dx: np.ndarray, skip: np.ndarray, out: np.ndarray) -> np.ndarray:
    """The tangent of `_step`, whose result is `out`: tangents weighted by each term's part of the sum."""
    safe = np.where(np.isfinite(out), out, 0)
    one, two = np.exp(_shifted(np, x, 1) - safe), np.where(skip, np.exp(_shifted(np, x, 2) - safe), 0)
    return np.exp(x - safe) * dx + one * _moved(dx, 1) + two * _moved(dx, 2)


def _alpha_tangents(alphas: np.ndarray, d_emit: np.ndarray, emit: np.ndarray, skip: np.ndarray) -> np.ndarray:
    tangents = np.empty_like(d_emit)
    tangents[0] = d_emit[0]
    for t in range(1, len(emit)):
        out = _step(np, alphas[t - 1], skip)
        tangents[t] = d_emit[t] + _step_tangent(alphas[t - 1], tangents[t - 1], skip, out)
    return tangents


def _beta_tangents(
    betas: np.ndarray, d_emit: np.ndarray, emit: np.ndarray, skip: np.ndarray, logit_length: np.ndarray
) -> np.ndarray:
    turned = np.concatenate([np.zeros_like(skip[:, :2]), skip[:, 2:][:, ::-1]], 1)
    tangents = np.zeros_like(d_emit)
    for t in range(len(emit) - 2, -1, -1):
        x, dx = (betas[t + 1] + emit[t + 1])[:, ::-1], (tangents[t + 1] + d_emit[t + 1])[:, ::-1]
        step = _step_tangent(x, dx, turned, _step(np, x, turned))[:, ::-1]
        tangents[t] = np.where((t < logit_length - 1)[:, None], step, 0)
    return tangents


def _curvature_numpy(
    logits: np.ndarray,
    v: np.ndarray,
    labels: np.ndarray,
    label_length: np.ndarray,
    logit_length: np.ndarray,
    *,
    blank_index: int,
) -> np.ndarray:
    """The loss's second derivative by the logits, times `v`."""
    time, batch, classes = logits.shape
    if not time or not batch:
        return np.zeros_like(logits)
    log_probs = _log_softmax(np, logits)
    probs = np.exp(log_probs)
    d_log_probs = v - (probs * v).sum(2, keepdims=True)
    symbols, skip = _extended(np, labels, blank_index % classes)
    emit, d_emit = _emitted(np, log_probs, symbols), _emitted(np, d_log_probs, symbols)
    ends = _ends(np, symbols, label_length, logits.dtype)
    alphas, betas = _alphas_numpy(emit, symbols, skip), _betas_numpy(emit, ends, skip, logit_length)
    shares = _shares(np, alphas + betas)
    d_joint = _alpha_tangents(alphas, d_emit, emit, skip) + _beta_tangents(
        betas, d_emit, emit, skip, logit_length
    )
    d_shares = shares * (d_joint - (shares * d_joint).sum(2, keepdims=True))
    found = probs * d_log_probs - _by_class(np, d_shares, symbols, classes)
    return np.where(_inside(time, logit_length), found, 0).astype(logits.dtype)


def _curvature_lower(x: Any, v: Any, labels: Any, n: Any, m: Any, *, blank_index: int) -> Any:
    return jax.jvp(lambda logits: _gradient(jnp, logits, labels, n, m, blank_index), (x,), (v,))[1]


# -- the operations ---------------------------------------------------------------------------------------------------


def _loss_numpy(logits: Any, labels: Any, label_length: Any, logit_length: Any, *, blank_index: int) -> Any:
    specs = (Spec(v.shape, v.dtype) for v in (logits, labels, label_length, logit_length))
    _loss_shape(*specs, blank_index=blank_index)
    classes = logits.shape[2]
    if not -classes <= blank_index < classes:
        raise ValueError(f"blank_index must lie in [{-classes}, {classes}); got {blank_index}")
    if labels.size and ((labels < 0) | (labels >= classes)).any():
        raise ValueError(f"labels must lie in [0, {classes}); got {labels.tolist()}")
    if (label_length > labels.shape[1]).any() or (logit_length > logits.shape[0]).any():
        raise ValueError("a length is greater than the tensor is long")
    return _loss(np, logits, labels, label_length, logit_length, blank_index)


def _loss_shape(x: Spec, labels: Spec, n: Spec, m: Spec, *, blank_index: int) -> Partial:
    for spec, rank, what in (
        (x, 3, "logits"),
        (labels, 2, "labels"),
        (n, 1, "label_length"),
        (m, 1, "logit_length"),
    ):
        if spec.shape is not None and len(spec.shape) != rank:
            raise ValueError(f"{what} must have rank {rank}; got shape {list(spec.shape)}")
    batches = [None if s.shape is None else s.shape[i] for s, i in ((x, 1), (labels, 0), (n, 0), (m, 0))]
    known = {b for b in batches if b is not None}
    if len(known) > 1:
        raise ValueError(f"logits, labels, label_length and logit_length must be of one batch; got {batches}")
    return (known.pop() if known else None,)


def _loss_grad(g: Any, y: Any, logits: Any, labels: Any, n: Any, m: Any, *, blank_index: int) -> Any:
    scale = layout.expand_dims(layout.expand_dims(g, 0), 2)
    return math.multiply(scale, _ctc_grad(logits, labels, n, m, blank_index=blank_index))


_LENGTHS = "labels: int32, label_length: int32, logit_length: int32"
_ctc_loss = op(
    "CTCLossDense", f"logits: float32|float64, {_LENGTHS} -> ?: logits",
    numpy=_loss_numpy,
    lower=lambda x, labels, n, m, *, blank_index: _loss(jnp, x, labels, n, m, blank_index),
    grad=(_loss_grad, None, None, None),
    shape=_loss_shape,
    attrs={"blank_index": 0},
    doc="The loss [batch] of logits [time, batch, classes]; labels are padded, [batch, longest].",
)  # fmt: skip
_ctc_grad = op(
    "CTCLossDenseGrad", f"logits: float32|float64, {_LENGTHS} -> logits",
    numpy=lambda x, labels, n, m, *, blank_index: _gradient(np, x, labels, n, m, blank_index),
    lower=lambda x, labels, n, m, *, blank_index: _gradient(jnp, x, labels, n, m, blank_index),
    grad=(lambda gg, y, x, labels, n, m, *, blank_index: _ctc_curvature(x, gg, labels, n, m, blank_index=blank_index), None, None, None),
    attrs={"blank_index": 0},
    doc="The derivative of each loss by its logits.",
)  # fmt: skip
_ctc_curvature = op(
    "CTCLossDenseCurvature", f"logits: float32|float64, v: logits, {_LENGTHS} -> logits",
    numpy=_curvature_numpy,
    lower=_curvature_lower,
    grad=NONDIFF,
    attrs={"blank_index": 0},
    doc="The second derivative of the losses by the logits, times `v`.",
)  # fmt: skip

# -- the public loss --------------------------------------------------------------------------------------------------


def _dense_labels(labels: SparseTensor) -> tuple[Any, Any]:
    """Padded labels and their lengths, of sparse ones."""
    dense = sparse.to_dense(labels, 0)
    counts = reduce.reduce_sum(
        cast(sparse.to_dense(labels._map_values(create.ones_like), 0), dtypes.int32), 1
    )
    return dense, counts


@export("nn.ctc_loss")
def ctc_loss(
    labels: Any, logits: Any, label_length: Any, logit_length: Any, logits_time_major: bool = True, unique: Any = None,
    blank_index: Any = None, name: str | None = None,
) -> Tensor:  # fmt: skip
    """Minus the logarithm of the probability that frames of logits spell the labels (Graves et al., 2006).

    Args:
      labels: int32 tensor [batch, longest], padded, or a SparseTensor of that shape.
      logits: float tensor [time, batch, classes], not normalised.
      label_length: int32 [batch], the lengths of the labels; None for sparse ones.
      logit_length: int32 [batch], the lengths of the sequences of frames.
      logits_time_major: False where logits are [batch, time, classes].
      unique: the result of `tf.nn.ctc_unique_labels`; not needed here.
      blank_index: the class of the blank; 0 by default for dense labels, negative ones count from the end.
      name: optional.

    Returns:
      A tensor [batch].

    Raises:
      ValueError: blank_index is missing for sparse labels.
      InvalidArgumentError: a shape does not fit, or a label or blank_index is out of range.
    """
    x = convert(logits)
    if not logits_time_major:
        x = layout.transpose(x, (1, 0, 2))
    blank = _blank_of(labels, blank_index)
    if isinstance(labels, SparseTensor):
        labels, label_length = _dense_labels(labels)
    narrow = x.dtype if x.dtype.name in ("float16", "bfloat16") else None
    if narrow is not None:
        x = cast(x, dtypes.float32)
    dense, counts, lengths = (cast(convert(v), dtypes.int32) for v in (labels, label_length, logit_length))
    loss = _ctc_loss(x, dense, counts, lengths, blank_index=blank, name=name)
    return loss if narrow is None else cast(loss, narrow)


def _blank_of(labels: Any, blank_index: Any) -> int:
    if blank_index is None:
        if isinstance(labels, SparseTensor):
            raise ValueError("tf.nn.ctc_loss: blank_index must be given with sparse labels.")
        return 0
    return int(blank_index)


def _loss_cases() -> list[Any]:
    logits, labels = Arr((5, 2, 4)), [[1, 2, 1], [3, 3, 0]]
    return [
        case(labels, logits, [3, 2], [5, 4], grad=(1,), tol=1e-4, id="float32"),
        case([[1, 2, 1, 0], [1, 2, 0, 2]], Arr((5, 2, 3), salt=5), [4, 4], [5, 4], grad=(1,), tol=1e-4, id="blank-label"),
        case([[1, 2, 2], [0, 0, 0]], Arr((5, 2, 4), salt=3), [2, 1], [5, 3], blank_index=-1, grad=(1,), tol=1e-4, id="last-blank"),
        case(labels, Arr((2, 5, 4)), [3, 2], [5, 5], logits_time_major=False, tol=1e-4, id="batch-major"),
        case([[1, 1]], Arr((3, 1, 3), salt=2), [2], [3], grad=(1,), tol=1e-4, id="tight"),
        case([[0, 0]], Arr((3, 1, 3)), [0], [3], tol=1e-4, id="no-label"),
    ]  # fmt: skip


sampled("nn.ctc_loss", _loss_cases)

# -- labels -----------------------------------------------------------------------------------------------------------


@export("nn.ctc_unique_labels")
def ctc_unique_labels(labels: Any, name: str | None = None) -> tuple[Tensor, Tensor]:
    """The distinct labels of each row, in the order in which they first come, and where each label stands among them.

    Args:
      labels: int32 tensor [batch, longest], padded with 0.
      name: optional.

    Returns:
      The distinct labels as int64, padded with 0, and the positions as int32, both of the shape of labels.
    """
    x = convert(labels)
    if (x.shape.rank or 0) > 2:
        raise invalid(f"tf.nn.ctc_unique_labels: labels must have shape [batch, longest]; got {x.shape}.")
    same = compare.equal(layout.expand_dims(x, 2), layout.expand_dims(x, 1))
    first = scans.argmax(cast(same, dtypes.int32), 2, dtypes.int32)
    return _unique_rows(x, first)


def _unique_rows(x: Any, first: Any) -> tuple[Any, Any]:
    """Numbers the labels that stand where their value comes first."""
    places = create.range(layout.shape(x)[1])
    fresh = cast(compare.equal(first, places), dtypes.int32)
    rank = math.subtract(scans.cumsum(fresh, 1), 1)
    index = gathering.gather(rank, first, batch_dims=1, axis=1)
    spread = create.one_hot(
        compare.where(compare.equal(fresh, 1), rank, -1), layout.shape(x)[1], dtype=dtypes.int64
    )
    return reduce.reduce_sum(math.multiply(spread, layout.expand_dims(cast(x, dtypes.int64), 2)), 1), index


def _collapse(labels: np.ndarray, length: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    valid = np.arange(labels.shape[1]) < length[:, None]
    keep = valid.copy()
    keep[:, 1:] &= labels[:, 1:] != labels[:, :-1]
    counts = keep.sum(1)
    out = np.zeros((len(labels), int(counts.max(initial=0))), labels.dtype)
    rows, columns = np.nonzero(keep)
    out[rows, (np.cumsum(keep, 1) - 1)[rows, columns]] = labels[rows, columns]
    return out, counts.astype(length.dtype)


_collapse_op = op(
    "CollapseRepeated", "labels: A, seq_length: IX -> ?: labels; ?: seq_length",
    numpy=_collapse,
    lower=HOST_ONLY("the length of the longest collapsed row depends on values"),
    grad=NONDIFF,
    shape=lambda labels, length: (None if labels.shape is None else (labels.shape[0], None), length.shape),
    doc="Rows without repetitions, padded, and their lengths.",
)  # fmt: skip


@export("nn.collapse_repeated")
def collapse_repeated(labels: Any, seq_length: Any, name: str | None = None) -> tuple[Tensor, Tensor]:
    """Runs of equal labels made one.

    Args:
      labels: tensor [batch, longest].
      seq_length: integer tensor [batch], how much of each row counts.
      name: optional.

    Returns:
      The rows, padded with 0 to the longest, and their lengths.
    """
    return _collapse_op(labels, seq_length, name=name)


sampled("nn.collapse_repeated", lambda: [
    case([[1, 1, 2, 2, 1], [3, 3, 3, 0, 0]], [5, 3], id="two"), case([[1, 2, 3]], [2], id="part"),
    case([[0, 0, 1]], [0], id="nothing"),
])  # fmt: skip
sampled("nn.ctc_unique_labels", lambda: [
    case([[1, 2, 1, 3], [3, 3, 3, 0]], id="two"), case([[4, 4, 4]], id="one"),
])  # fmt: skip

# -- greedy decoding --------------------------------------------------------------------------------------------------


def _sparse_of(rows: list[list[int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    indices = [(b, t) for b, row in enumerate(rows) for t in range(len(row))]
    longest = max((len(row) for row in rows), default=0)
    return (
        np.array(indices, np.int64).reshape(-1, 2),
        np.array([v for row in rows for v in row], np.int64),
        np.array([len(rows), longest], np.int64),
    )


def _check_decoder(inputs: np.ndarray, length: np.ndarray) -> None:
    if inputs.ndim != 3:
        raise ValueError(f"inputs must have rank 3, [time, batch, classes]; got shape {list(inputs.shape)}")
    if length.ndim != 1:
        raise ValueError(f"sequence_length must be a vector; got shape {list(length.shape)}")
    if len(length) != inputs.shape[1]:
        message = f"sequence_length must have shape [{inputs.shape[1]}]; got {list(length.shape)}."
        raise FailedPreconditionError(None, None, f"[Op:CTCDecoder]: {message}")
    if (length > inputs.shape[0]).any():
        message = f"sequence_length must be at most {inputs.shape[0]}, the time; got {length.tolist()}."
        raise FailedPreconditionError(None, None, f"[Op:CTCDecoder]: {message}")


def _greedy(inputs: np.ndarray, length: np.ndarray, *, merge_repeated: bool, blank_index: int) -> Any:
    _check_decoder(inputs, length)
    time, batch, classes = inputs.shape
    blank = blank_index + classes if blank_index < 0 else blank_index
    best = np.argmax(inputs, 2).astype(np.int64) if inputs.size else np.zeros((time, batch), np.int64)
    inside = np.arange(time)[:, None] < length
    keep = inside & (best != blank)
    if merge_repeated:
        keep[1:] &= best[1:] != best[:-1]
    score = -np.where(inside, inputs.max(2, initial=-np.inf), 0).sum(0, dtype=inputs.dtype)
    rows = [best[keep[:, b], b].tolist() for b in range(batch)]
    return (*_sparse_of(rows), score.reshape(batch, 1))


def _greedy_shape(inputs: Spec, length: Spec, **_: Any) -> Any:
    if inputs.shape is not None and len(inputs.shape) != 3:
        raise ValueError(f"inputs must have rank 3, [time, batch, classes]; got shape {list(inputs.shape)}")
    if length.shape is not None and len(length.shape) != 1:
        raise ValueError(f"sequence_length must have rank 1; got shape {list(length.shape)}")
    batch = None if inputs.shape is None else inputs.shape[1]
    if batch is None and length.shape is not None:
        batch = length.shape[0]
    return ((None, 2), (None,), (2,), (batch, 1))


_DECODED = "?: int64; ?: int64; ?: int64; ?: inputs"
_greedy_op = op(
    "CTCGreedyDecoder", "inputs: float32|float64, sequence_length: int32 -> " + _DECODED,
    numpy=_greedy,
    lower=HOST_ONLY("the number of decoded labels depends on values"),
    grad=NONDIFF,
    shape=_greedy_shape,
    attrs={"merge_repeated": True, "blank_index": -1},
    doc="The labels of the best path, as the parts of a sparse tensor, and minus the sum of its logits.",
)  # fmt: skip


@export("nn.ctc_greedy_decoder")
def ctc_greedy_decoder(
    inputs: Any, sequence_length: Any, merge_repeated: bool = True, blank_index: Any = None
) -> tuple[list[SparseTensor], Tensor]:
    """The most probable class of each frame, without repetitions and blanks.

    Args:
      inputs: float tensor [time, batch, classes] of logits.
      sequence_length: int32 [batch].
      merge_repeated: whether runs of one class count once.
      blank_index: the class of the blank; the last by default.

    Returns:
      A list of one SparseTensor [batch, longest] of int64 labels, and a tensor [batch, 1], minus the sums of the greatest logits.

    Raises:
      InvalidArgumentError: the rank of inputs is not 3.
      FailedPreconditionError: sequence_length does not fit.
    """
    x = convert(inputs)
    blank = -1 if blank_index is None else int(blank_index)
    *parts, score = _greedy_op(
        x, cast(sequence_length, dtypes.int32), merge_repeated=bool(merge_repeated), blank_index=blank
    )
    return [SparseTensor(*parts)], score


sampled("nn.ctc_greedy_decoder", lambda: [
    case(Arr((5, 2, 4)), [5, 3], id="float32"), case(Arr((5, 2, 4), "float64"), [5, 5], id="float64"),
    case(Arr((6, 1, 2)), [6], False, id="repeated"), case(Arr((6, 2, 3)), [6, 4], blank_index=0, id="first-blank"),
    case(Arr((6, 1, 2)), [0], id="nothing"), bad(Arr((5, 4)), [5], id="rank"), bad(Arr((5, 2, 4)), [5], error="FailedPreconditionError", id="batch"),
    bad(Arr((5, 2, 4)), [9, 9], error="FailedPreconditionError", id="long"),
])  # fmt: skip

# -- beam search ------------------------------------------------------------------------------------------------------


def _search(log_probs: np.ndarray, width: int, paths: int) -> list[tuple[tuple[int, ...], float]]:
    """The `paths` best label sequences of one element, with their log probabilities; the last class is the blank.

    Hannun et al., 2014: a beam keeps for each prefix the probability that it ends in a blank and that it ends in a label.
    """
    blank = log_probs.shape[1] - 1
    beams: dict[tuple[int, ...], tuple[float, float]] = {(): (0.0, -np.inf)}
    for frame in log_probs.tolist():
        grown: dict[tuple[int, ...], list[float]] = {}
        for prefix, (ends_blank, ends_label) in beams.items():
            both = float(np.logaddexp(ends_blank, ends_label))
            kept = grown.setdefault(prefix, [-np.inf, -np.inf])
            kept[0] = float(np.logaddexp(kept[0], both + frame[blank]))
            if prefix:
                kept[1] = float(np.logaddexp(kept[1], ends_label + frame[prefix[-1]]))
            for label in range(blank):
                source = ends_blank if prefix and prefix[-1] == label else both
                if source > -np.inf:
                    longer = grown.setdefault((*prefix, label), [-np.inf, -np.inf])
                    longer[1] = float(np.logaddexp(longer[1], source + frame[label]))
        ranked = sorted(grown.items(), key=lambda item: -np.logaddexp(*item[1]))[:width]
        beams = {prefix: (ends[0], ends[1]) for prefix, ends in ranked}
    best = sorted(((p, float(np.logaddexp(*e))) for p, e in beams.items()), key=lambda item: -item[1])
    return best[:paths]


def _beam(inputs: np.ndarray, length: np.ndarray, *, beam_width: int, top_paths: int) -> Any:
    _check_decoder(inputs, length)
    batch = inputs.shape[1]
    wide = inputs.astype(np.float64)
    top = wide.max(2, keepdims=True, initial=-np.inf)
    log_probs = wide - top - np.log(np.exp(wide - top).sum(2, keepdims=True))
    found = [_search(log_probs[: length[b], b], beam_width, top_paths) for b in range(batch)]
    if any(len(f) < top_paths for f in found):
        raise ValueError(f"beam_width {beam_width} finds fewer than top_paths = {top_paths} sequences")
    parts = [_sparse_of([list(f[i][0]) for f in found]) for i in range(top_paths)]
    scores = np.array([[s for _, s in f] for f in found], inputs.dtype).reshape(batch, top_paths)
    indices, values, shapes = zip(*parts, strict=True)
    sizes = np.array([len(v) for v in values], np.int64)
    return np.concatenate(indices), np.concatenate(values), np.stack(shapes), sizes, scores


_beam_op = op(
    "CTCBeamSearchDecoder", "inputs: float32|float64, sequence_length: int32 -> ?: int64; ?: int64; ?: int64; ?: int64; ?: inputs",
    numpy=_beam,
    lower=HOST_ONLY("the number of decoded labels depends on values"),
    grad=NONDIFF,
    shape=lambda x, n, *, beam_width, top_paths: (
        (None, 2), (None,), (top_paths, 2), (top_paths,), (_greedy_shape(x, n)[3][0], top_paths)),
    attrs={"beam_width": 100, "top_paths": 1},
    doc="The parts of `top_paths` sparse tensors, one after the other, their numbers of labels, and the log probabilities.",
)  # fmt: skip


@export("nn.ctc_beam_search_decoder")
def ctc_beam_search_decoder(
    inputs: Any, sequence_length: Any, beam_width: int = 100, top_paths: int = 1
) -> tuple[list[SparseTensor], Tensor]:
    """The most probable label sequences, found by a search that keeps the best prefixes; the last class is the blank.

    Args:
      inputs: float tensor [time, batch, classes] of logits.
      sequence_length: int32 [batch].
      beam_width: how many prefixes are kept.
      top_paths: how many sequences to return, at most beam_width.

    Returns:
      A list of top_paths SparseTensors [batch, longest] of int64 labels, and a tensor [batch, top_paths] of log probabilities.

    Raises:
      InvalidArgumentError: the rank of inputs is not 3, or top_paths is too large.
      FailedPreconditionError: sequence_length does not fit.
    """
    if top_paths > beam_width:
        raise invalid(
            f"tf.nn.ctc_beam_search_decoder: top_paths must be at most beam_width; got {top_paths} and {beam_width}."
        )
    x = convert(inputs)
    indices, values, shapes, sizes, scores = _beam_op(
        x, cast(sequence_length, dtypes.int32), beam_width=int(beam_width), top_paths=int(top_paths)
    )
    index_parts, value_parts = (joining.split(t, sizes, 0, num=top_paths) for t in (indices, values))
    return [
        SparseTensor(i, v, shapes[k]) for k, (i, v) in enumerate(zip(index_parts, value_parts, strict=True))
    ], scores


sampled("nn.ctc_beam_search_decoder", lambda: [
    case(Arr((4, 2, 3)), [4, 3], 10, 2, tol=1e-4, id="two"), case(Arr((5, 1, 4), "float64"), [5], tol=1e-4, id="float64"),
    case(Arr((4, 1, 3)), [4], 3, 1, tol=1e-4, id="narrow"), bad(Arr((4, 2, 3)), [4, 3], 2, 3, id="paths"),
    bad(Arr((4, 3)), [4], id="rank"), bad(Arr((4, 2, 3)), [9, 9], error="FailedPreconditionError", id="long"),
])  # fmt: skip
