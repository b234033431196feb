"""The gradient checker itself: it accepts right gradients and refuses those that are wrong by 0.05 %, in either order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import gradcheck
import numpy as np
import pytest

import headwater._src.ops  # noqa: F401 - fills in what the tape needs
from headwater._src.core.op import REGISTRY, op
from headwater._src.core.tensor import of_array
from headwater._src.ops.cast import cast
from headwater._src.ops.math import add, exp, multiply

WRONG = 1.0005
"""A factor of a gradient that must be found."""

Make = Callable[..., Any]
POINTS = {"scalar": np.array(0.7), "matrix": np.linspace(-2, 2, 6).reshape(2, 3)}


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes records for one test: `make(kernel, gradient)`."""
    made: list[str] = []

    def build(kernel: Any, grad: Any) -> Any:
        made.append(f"Checked{len(made)}")
        return op(made[-1], "x: F|C -> x", numpy=kernel, lower=lambda x: x, grad=grad)

    yield build
    for name in made:
        del REGISTRY[name]


def _scaled(tensor: Any, factor: Any) -> Any:
    return multiply(tensor, of_array(np.asarray(factor, tensor.dtype.np)))


def _exponential(make: Make, first: float, second: float) -> gradcheck.Function:
    """exp, its derivative off by the factor `first`, and the derivative of that by `second`."""
    derivative = make(np.exp, lambda g, y, x: _scaled(multiply(g, exp(x)), second))
    function = make(np.exp, lambda g, y, x: _scaled(multiply(g, derivative(x)), first))
    return lambda tensors: [function(tensors[0])]


@pytest.mark.parametrize("x", POINTS.values(), ids=POINTS)
@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_a_right_gradient_passes(make: Make, x: np.ndarray, dtype: str) -> None:
    real = _exponential(make, 1.0, 1.0)
    if dtype == "float64":
        assert gradcheck.check_gradient(real, [x], np.random.default_rng(0))
        return
    conjugated = make(np.square, lambda g, y, x: multiply(multiply(of_array(np.array(2 + 0j)), _conj(x)), g))
    assert gradcheck.check_gradient(
        lambda t: [conjugated(t[0])], [x + 0.5j], np.random.default_rng(0), order=1
    )


def _conj(tensor: Any) -> Any:
    return of_array(np.conj(tensor.numpy()))


@pytest.mark.parametrize("factor", [WRONG, 2 - WRONG], ids=["more", "less"])
@pytest.mark.parametrize("x", POINTS.values(), ids=POINTS)
@pytest.mark.parametrize("seed", range(4))
def test_a_gradient_wrong_by_a_twentieth_of_a_percent_fails(
    make: Make, factor: float, x: np.ndarray, seed: int
) -> None:
    with pytest.raises(gradcheck.GradientMismatch, match="the gradient gives"):
        gradcheck.check_gradient(_exponential(make, factor, 1.0), [x], np.random.default_rng(seed))


@pytest.mark.parametrize("factor", [WRONG, 2 - WRONG], ids=["more", "less"])
@pytest.mark.parametrize("x", POINTS.values(), ids=POINTS)
@pytest.mark.parametrize("seed", range(4))
def test_a_second_derivative_wrong_by_a_twentieth_of_a_percent_fails(
    make: Make, factor: float, x: np.ndarray, seed: int
) -> None:
    function = _exponential(make, 1.0, factor)
    assert gradcheck.check_gradient(function, [x], np.random.default_rng(seed), order=1)
    with pytest.raises(gradcheck.GradientMismatch, match="the gradient of the gradient gives"):
        gradcheck.check_gradient(function, [x], np.random.default_rng(seed))


@pytest.mark.parametrize("place", [0, 7, 11])
def test_one_wrong_element_among_twelve_is_found(make: Make, place: int) -> None:
    factors = np.ones(12)
    factors[place] = WRONG
    square = make(np.square, lambda g, y, x: _scaled(multiply(add(x, x), g), factors))
    with pytest.raises(gradcheck.GradientMismatch):
        gradcheck.check_gradient(
            lambda t: [square(t[0])], [np.linspace(0.5, 2, 12)], np.random.default_rng(1)
        )


def test_the_conjugate_that_a_complex_gradient_needs_is_found(make: Make) -> None:
    unconjugated = make(np.square, lambda g, y, x: multiply(add(x, x), g))
    x = np.array([0.5 + 1j, -1.2 + 0.3j])
    assert gradcheck.check_gradient(lambda t: [unconjugated(t[0])], [x.real], np.random.default_rng(2))
    with pytest.raises(gradcheck.GradientMismatch):
        gradcheck.check_gradient(lambda t: [unconjugated(t[0])], [x], np.random.default_rng(2))


def test_a_missing_gradient_is_found(make: Make) -> None:
    constant = make(np.square, lambda g, y, x: None)
    with pytest.raises(gradcheck.GradientMismatch):
        gradcheck.check_gradient(lambda t: [constant(t[0])], [np.ones(3)], np.random.default_rng(2))


def test_a_gradient_of_another_dtype_is_found(make: Make) -> None:
    narrow = make(np.positive, lambda g, y, x: cast(g, "float32"))
    with pytest.raises(gradcheck.GradientMismatch, match="float32"):
        gradcheck.check_gradient(lambda t: [narrow(t[0])], [np.ones(3)], np.random.default_rng(3))


@pytest.mark.parametrize("kernel", [np.floor, np.abs, np.sqrt], ids=["jump", "kink", "edge"])
def test_points_without_derivative_are_told_from_wrong_gradients(make: Make, kernel: Any) -> None:
    function = make(kernel, lambda g, y, x: _scaled(g, 3.0))
    with np.errstate(all="ignore"):
        assert not gradcheck.check_gradient(
            lambda t: [function(t[0])], [np.zeros(2)], np.random.default_rng(4)
        )
    with pytest.raises(gradcheck.GradientMismatch):
        gradcheck.check_gradient(lambda t: [function(t[0])], [np.full(2, 1.5)], np.random.default_rng(4))
