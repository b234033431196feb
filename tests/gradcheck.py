"""Gradients against finite differences along random directions, to a precision that an error of 0.05 % does not survive.

A function of tensors is made scalar by random weights: L = sum(Re(conj(w) * y)). Its derivative along a direction v must be
the sum of Re(conj(g) * v) over the gradient g that the tape gives; for complex values that is TensorFlow's convention. One
direction is random; the other has the signs of g, so that nothing cancels and the error is measured against sum(|g| |v|).
Where the function itself has a kink, a jump or an edge of its domain at the point, there is no derivative to compare with.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from headwater._src.core.call import is_differentiable
from headwater._src.core.tensor import of_array
from headwater._src.engine.backprop import space
from headwater._src.engine.tape import GradientTape

Function = Callable[[list[Any]], list[Any]]
"""From a list of tensors to a list of floating or complex tensors."""

RTOL = 5e-6
NOISE = 1e-12
"""How exact the functions are themselves, relative to their values."""
STEPS = (1e-3, 1e-5)
"""Steps to try; the small one is for functions with a kink or the edge of their domain nearby."""


class GradientMismatch(AssertionError):
    """A gradient that is not the derivative."""


def random_like(rng: np.random.Generator, array: np.ndarray) -> np.ndarray:
    """Numbers of magnitude 0.5 to 1.5 with random signs (phases for complex), of the shape and dtype of `array`."""
    magnitude = np.asarray(rng.uniform(0.5, 1.5, array.shape))
    if array.dtype.kind == "c":
        return (magnitude * np.exp(2j * np.pi * rng.random(array.shape))).astype(array.dtype)
    return (magnitude * rng.choice([-1.0, 1.0], array.shape)).astype(array.dtype)


def gradients(function: Function, tensors: list[Any], seeds: Sequence[Any]) -> list[Any]:
    """What the tape gives for `function` at `tensors`, dense; None where nothing is connected."""
    with GradientTape() as tape:
        for tensor in tensors:
            tape.watch(tensor)
        outputs = function(tensors)
    found = tape.gradient(outputs, list(tensors), list(seeds))
    return [None if g is None else space().densify(g) for g in found]


def pullback(function: Function, count: int) -> Function:
    """The gradient as a function: of `count` inputs and then the gradients of the outputs, giving those of the inputs."""

    def pull(tensors: list[Any]) -> list[Any]:
        inputs, seeds = tensors[:count], tensors[count:]
        found = gradients(function, inputs, seeds)
        return [space().zeros_like(x) if g is None else g for x, g in zip(inputs, found, strict=True)]

    return pull


def check_gradient(
    function: Function, inputs: Sequence[np.ndarray], rng: np.random.Generator, *, order: int = 2, rtol: float = RTOL,
    noise: float = NOISE, steps: Sequence[float] = STEPS,
) -> bool:  # fmt: skip
    """Raises GradientMismatch unless the gradients of `function` up to `order` are its derivatives.

    Args:
      function: from tensors to tensors, differentiable at `inputs`.
      inputs: float64 or complex128 arrays.
      rng: draws weights and directions.
      order: 2 also checks the gradient of the gradient, with respect to the inputs and the output gradients.
      rtol, noise: relative tolerance of the gradient, and relative exactness of the function.
      steps: steps of the differences, the larger first; one that agrees suffices.

    Returns:
      Whether `function` has a derivative at `inputs`; if not, nothing was compared.
    """
    with np.errstate(all="ignore"):
        return _check(function, inputs, rng, order, rtol, noise, steps)


def _check(
    function: Function, inputs: Sequence[np.ndarray], rng: np.random.Generator, order: int, rtol: float, noise: float,
    steps: Sequence[float],
) -> bool:  # fmt: skip
    tensors = [of_array(a) for a in inputs]
    outputs = [y.numpy() for y in function(tensors)]
    weights = [random_like(rng, y) for y in outputs]
    if not _check_first("the gradient", function, list(inputs), weights, rng, rtol, noise, steps):
        return False
    if order > 1:
        pull = pullback(function, len(inputs))
        seconds = [random_like(rng, x) for x in inputs]
        every = [*inputs, *weights]
        _check_first("the gradient of the gradient", pull, every, seconds, rng, rtol, noise, steps)
    return True


def _check_first(
    what: str, function: Function, inputs: list[np.ndarray], weights: list[np.ndarray], rng: np.random.Generator,
    rtol: float, noise: float, steps: Sequence[float],
) -> bool:  # fmt: skip
    seeds = [of_array(w) for w in weights]
    found = gradients(function, [of_array(x) for x in inputs], seeds)
    grads = [np.zeros_like(x) if g is None else g.numpy() for x, g in zip(inputs, found, strict=True)]
    for x, g in zip(inputs, grads, strict=True):
        if g.shape != x.shape or g.dtype != x.dtype:
            raise GradientMismatch(f"{what} of an input {x.dtype}{x.shape} is {g.dtype}{g.shape}")
    directions = (_random(rng, grads), _aligned(rng, grads))
    return all(
        _check_along(what, function, inputs, weights, grads, v, rtol, noise, steps) for v in directions
    )


def _random(rng: np.random.Generator, grads: list[np.ndarray]) -> list[np.ndarray]:
    return [random_like(rng, g) for g in grads]


def _aligned(rng: np.random.Generator, grads: list[np.ndarray]) -> list[np.ndarray]:
    out = []
    for g in grads:
        v = random_like(rng, g)
        size = np.abs(g)
        out.append(np.where(size > 0, np.abs(v) * g / np.where(size > 0, size, 1), v))
    return out


def _check_along(
    what: str, function: Function, inputs: list[np.ndarray], weights: list[np.ndarray], grads: list[np.ndarray],
    direction: list[np.ndarray], rtol: float, noise: float, steps: Sequence[float],
) -> bool:  # fmt: skip
    def loss(step: float) -> float:
        moved = [of_array(np.asarray(x + step * v, x.dtype)) for x, v in zip(inputs, direction, strict=True)]
        return _inner(weights, [y.numpy() for y in function(moved)])

    given = _inner(grads, direction)
    size = sum(float(np.sum(np.abs(g) * np.abs(v))) for g, v in zip(grads, direction, strict=True))
    outputs = function([of_array(x) for x in inputs])
    scale = 1e-3 + sum(
        float(np.sum(np.abs(w) * np.abs(y.numpy()))) for w, y in zip(weights, outputs, strict=True)
    )
    tried = []
    for h in steps:
        slope = (8 * (loss(h) - loss(-h)) - (loss(2 * h) - loss(-2 * h))) / (12 * h)
        if abs(slope - given) <= rtol * size + noise * scale / h:
            return True
        tried.append(f"{slope:.10g} with step {h:g}")
    if not _has_derivative(loss, steps[0], steps[-1], scale):
        return False
    raise GradientMismatch(
        f"{what} gives {given:.10g} along a direction, finite differences {' and '.join(tried)} (sum of |g||v|: {size:.4g})"
    )


def _has_derivative(loss: Callable[[float], float], wide: float, narrow: float, scale: float) -> bool:
    """Whether the slopes on both sides of 0 approach each other as the step shrinks; a kink or a jump keeps them apart."""

    def gap(h: float) -> float:
        return abs((loss(h) - 2 * loss(0.0) + loss(-h)) / h)

    far, near = gap(wide), gap(narrow)
    if not np.isfinite(near):
        return False
    return not (near > 0.5 * far and near > 1e-5 * scale)


def _inner(a: list[np.ndarray], b: list[np.ndarray]) -> float:
    return sum(float(np.real(np.sum(np.conj(x) * y))) for x, y in zip(a, b, strict=True))


def differentiable(values: Sequence[Any]) -> list[Any]:
    """The tensors among `values` through which gradients flow."""
    return [v for v in values if is_differentiable(v._spec.dtype)]
