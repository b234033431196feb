"""The gradient checker itself: it accepts right gradients and refuses those that are wrong by 0.05 %, in either order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradcheck
import numpy as np
import pytest

import headwater._src.ops  # noqa: F401 - fills in what the tape needs
from headwater._src.core.op import REGISTRY, op
from headwater._src.core.tensor import of_array
from headwater._src.ops.math import add, cos, multiply, negative, sin

WRONG = 1.0005
"""A factor of a gradient that must be found."""


def _scaled(tensor: Any, factor: float) -> Any:
    return multiply(tensor, of_array(np.asarray(factor, tensor.dtype.np)))


@pytest.fixture
def sine(request: pytest.FixtureRequest) -> Callable[[list[Any]], list[Any]]:
    """sin as a record of its own, with errors in its first and second derivative as the parameter says."""
    first, second = request.param

    def of_cosine(g: Any, y: Any, x: Any) -> Any:
        return _scaled(negative(multiply(g, sin(x))), second)

    names = f"CheckedSin{first}{second}", f"CheckedCos{first}{second}"
    checked_cos = op(names[1], "x: F|C -> x", numpy=np.cos, lower=lambda x: x, grad=of_cosine)
    checked_sin = op(
        names[0], "x: F|C -> x", numpy=np.sin, lower=lambda x: x,
        grad=lambda g, y, x: _scaled(multiply(g, checked_cos(x)), first),
    )  # fmt: skip
    yield lambda tensors: [checked_sin(tensors[0])]
    for name in names:
        del REGISTRY[name]


POINTS = [np.array(0.7), np.linspace(-2, 2, 6).reshape(2, 3)]


@pytest.mark.parametrize("sine", [(1.0, 1.0)], indirect=True)
@pytest.mark.parametrize("x", POINTS, ids=["scalar", "matrix"])
def test_a_right_gradient_passes(sine: Any, x: np.ndarray) -> None:
    assert gradcheck.check_gradient(sine, [x], np.random.default_rng(0))


@pytest.mark.parametrize("sine", [(WRONG, 1.0), (2 - WRONG, 1.0)], indirect=True)
@pytest.mark.parametrize("x", POINTS, ids=["scalar", "matrix"])
@pytest.mark.parametrize("seed", range(4))
def test_a_gradient_wrong_by_a_twentieth_of_a_percent_fails(sine: Any, x: np.ndarray, seed: int) -> None:
    with pytest.raises(gradcheck.GradientMismatch, match="the gradient gives"):
        gradcheck.check_gradient(sine, [x], np.random.default_rng(seed), order=1)


@pytest.mark.parametrize("sine", [(1.0, WRONG), (1.0, 2 - WRONG)], indirect=True)
@pytest.mark.parametrize("x", POINTS, ids=["scalar", "matrix"])
@pytest.mark.parametrize("seed", range(4))
def test_a_second_derivative_wrong_by_a_twentieth_of_a_percent_fails(sine: Any, x: np.ndarray, seed: int) -> None:
    assert gradcheck.check_gradient(sine, [x], np.random.default_rng(seed), order=1)
    with pytest.raises(gradcheck.GradientMismatch, match="the gradient of the gradient gives"):
        gradcheck.check_gradient(sine, [x], np.random.default_rng(seed))


def test_one_wrong_element_among_twelve_is_found() -> None:
    factors = np.ones(12)
    factors[7] = WRONG
    name = "CheckedElement"
    square = op(
        name, "x: F -> x", numpy=np.square, lower=lambda x: x,
        grad=lambda g, y, x: multiply(multiply(add(x, x), g), of_array(factors)),
    )  # fmt: skip
    try:
        with pytest.raises(gradcheck.GradientMismatch):
            gradcheck.check_gradient(lambda t: [square(t[0])], [np.linspace(0.5, 2, 12)], np.random.default_rng(1))
    finally:
        del REGISTRY[name]


def test_the_conjugate_that_a_complex_gradient_needs_is_found() -> None:
    name = "CheckedComplex"
    square = op(
        name, "x: F|C -> x", numpy=np.square, lower=lambda x: x,
        grad=lambda g, y, x: multiply(add(x, x), g),  # right for real numbers; the conjugate is missing
    )  # fmt: skip
    x = np.array([0.5 + 1j, -1.2 + 0.3j])
    try:
        assert gradcheck.check_gradient(lambda t: [square(t[0])], [x.real], np.random.default_rng(2))
        with pytest.raises(gradcheck.GradientMismatch):
            gradcheck.check_gradient(lambda t: [square(t[0])], [x], np.random.default_rng(2))
    finally:
        del REGISTRY[name]


def test_a_gradient_of_another_shape_or_dtype_is_found() -> None:
    from headwater._src.ops.cast import cast

    name = "CheckedShape"
    keep = op(
        name, "x: F -> x", numpy=np.positive, lower=lambda x: x, grad=lambda g, y, x: cast(g, "float32")
    )
    try:
        with pytest.raises(gradcheck.GradientMismatch, match="float32"):
            gradcheck.check_gradient(lambda t: [keep(t[0])], [np.ones(3)], np.random.default_rng(3))
    finally:
        del REGISTRY[name]


KINKS: list[tuple[str, Any, bool]] = [
    ("jump", np.floor, False),
    ("kink", np.abs, False),
    ("edge", np.sqrt, False),
    ("smooth", np.sin, True),
]


@pytest.mark.parametrize(("kernel", "smooth"), [k[1:] for k in KINKS], ids=[k[0] for k in KINKS])
def test_points_without_derivative_are_told_from_wrong_gradients(kernel: Any, smooth: bool) -> None:
    name = "CheckedKink"
    f = op(name, "x: F -> x", numpy=kernel, lower=lambda x: x, grad=lambda g, y, x: _scaled(multiply(g, cos(x)), 3.0))
    try:
        with np.errstate(all="ignore"):
            if smooth:
                with pytest.raises(gradcheck.GradientMismatch):
                    gradcheck.check_gradient(lambda t: [f(t[0])], [np.zeros(1)], np.random.default_rng(4))
            else:
                assert not gradcheck.check_gradient(lambda t: [f(t[0])], [np.zeros(1)], np.random.default_rng(4))
    finally:
        del REGISTRY[name]
