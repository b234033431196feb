"""Linear operators: every method against the dense matrix, gradients, graphs, and the products that stay structured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import headwater as tf

la = tf.linalg
N = 4


def _draw(seed: int, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=shape)
    if np.dtype(dtype).kind == "c":
        values = values + 1j * rng.normal(size=shape)
    return values.astype(dtype)


def _regular(seed: int, n: int, batch: tuple[int, ...], dtype: str) -> np.ndarray:
    return (_draw(seed, (*batch, n, n), dtype) + 3 * np.eye(n)).astype(dtype)


def _definite(seed: int, n: int, batch: tuple[int, ...], dtype: str) -> np.ndarray:
    a = _draw(seed, (*batch, n, n), dtype)
    return (a @ a.conj().swapaxes(-1, -2) + np.eye(n)).astype(dtype)


def _full(seed: int, n: int, batch: tuple[int, ...], dtype: str) -> Any:
    return la.LinearOperatorFullMatrix(_regular(seed, n, batch, dtype))


def _spectrum(batch: tuple[int, ...], shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """The spectrum of a kernel of the dtype, far from zero."""
    kernel = _draw(3, (*batch, *shape), dtype)
    kernel[(..., *(0,) * len(shape))] += 5
    wide = "complex128" if dtype in ("float64", "complex128") else "complex64"
    return np.fft.fftn(kernel, axes=range(-len(shape), 0)).astype(wide)


def _hinted(cls: Any, value: np.ndarray) -> Any:
    return cls(value, is_self_adjoint=True, is_positive_definite=True)


def _low_rank(b: tuple[int, ...], d: str) -> Any:
    return la.LinearOperatorLowRankUpdate(
        _full(1, N, (), d), _draw(2, (*b, N, 2), d), _draw(3, (*b, 2), d) + 2, _draw(4, (N, 2), d)
    )


OPERATORS: dict[str, Callable[[tuple[int, ...], str], Any]] = {
    "identity": lambda b, d: la.LinearOperatorIdentity(N, batch_shape=b or None, dtype=d),
    "scaled": lambda b, d: la.LinearOperatorScaledIdentity(N, _draw(1, b, d) + 2),
    "diag": lambda b, d: la.LinearOperatorDiag(_draw(1, (*b, N), d) + 3),
    "diag-hints": lambda b, d: _hinted(la.LinearOperatorDiag, (abs(_draw(1, (*b, N), d)) + 1).astype(d)),
    "lower": lambda b, d: la.LinearOperatorLowerTriangular(_regular(1, N, b, d)),
    "full": lambda b, d: _full(1, N, b, d),
    "full-hints": lambda b, d: _hinted(la.LinearOperatorFullMatrix, _definite(1, N, b, d)),
    "permutation": lambda b, d: la.LinearOperatorPermutation(np.broadcast_to([2, 0, 3, 1], (*b, N)), dtype=d),
    "householder": lambda b, d: la.LinearOperatorHouseholder(_draw(1, (*b, N), d)),
    "tridiag": lambda b, d: la.LinearOperatorTridiag((_draw(1, (*b, 3, N), d) + [[0], [4], [0]]).astype(d)),
    "tridiag-sequence": lambda b, d: la.LinearOperatorTridiag(
        [_draw(1, (*b, N), d), _draw(2, (*b, N), d) + 4, _draw(3, (*b, N), d)], "sequence"
    ),
    "tridiag-matrix": lambda b, d: la.LinearOperatorTridiag(_regular(1, N, b, d), "matrix"),
    "toeplitz": lambda b, d: la.LinearOperatorToeplitz(
        (_draw(1, (*b, N), d) + [5, 0, 0, 0]).astype(d), _draw(2, (N,), d)
    ),
    "circulant": lambda b, d: la.LinearOperatorCirculant(_spectrum(b, (N,), d), d),
    "circulant2": lambda b, d: la.LinearOperatorCirculant2D(_spectrum(b, (2, 3), d), d),
    "circulant3": lambda b, d: la.LinearOperatorCirculant3D(_spectrum(b, (2, 2, 2), d), d),
    "composition": lambda b, d: la.LinearOperatorComposition([_full(1, N, b, d), _full(2, N, (), d)]),
    "gramian": lambda b, d: (lambda a: la.LinearOperatorComposition([a, a.H], is_non_singular=True))(
        la.LinearOperatorLowerTriangular(_regular(1, N, b, d), is_non_singular=True)
    ),
    "adjoint": lambda b, d: la.LinearOperatorAdjoint(_full(1, N, b, d)),
    "inversion": lambda b, d: la.LinearOperatorInversion(_full(1, N, b, d)),
    "blocks": lambda b, d: la.LinearOperatorBlockDiag([_full(1, 2, b, d), _full(2, 3, (), d)]),
    "blocks-hints": lambda b, d: la.LinearOperatorBlockDiag(
        [_hinted(la.LinearOperatorFullMatrix, _definite(i, 2, b, d)) for i in (1, 2)]
    ),
    "triangle": lambda b, d: la.LinearOperatorBlockLowerTriangular([
        [_full(1, 2, b, d)],
        [la.LinearOperatorFullMatrix(_draw(2, (1, 2), d)), _full(3, 1, (), d)],
        [la.LinearOperatorFullMatrix(_draw(4, (*b, 3, 2), d)), la.LinearOperatorZeros(3, 1, is_square=False,
         is_self_adjoint=None, dtype=d), _full(5, 3, (), d)],
    ]),
    "kronecker": lambda b, d: la.LinearOperatorKronecker([_full(1, 2, b, d), _full(2, 3, (), d), _full(3, 1, b, d)]),
    "kronecker-hints": lambda b, d: la.LinearOperatorKronecker(
        [_hinted(la.LinearOperatorFullMatrix, _definite(i, 2, b, d)) for i in (1, 2)]
    ),
    "low-rank": _low_rank,
    "low-rank-hints": lambda b, d: la.LinearOperatorLowRankUpdate(
        _hinted(la.LinearOperatorDiag, (abs(_draw(1, (*b, N), d)) + 1).astype(d)), _draw(2, (*b, N, 2), d)
    ),
    "low-rank-adjoint": lambda b, d: _low_rank(b, d).H,
}  # fmt: skip
RECTANGLES: dict[str, Callable[[tuple[int, ...], str], Any]] = {
    "full": lambda b, d: la.LinearOperatorFullMatrix(_draw(1, (*b, 2, 3), d)),
    "zeros": lambda b, d: la.LinearOperatorZeros(
        2, 3, batch_shape=b or None, dtype=d, is_square=False, is_self_adjoint=None
    ),
    "composition": lambda b, d: la.LinearOperatorComposition(
        [la.LinearOperatorFullMatrix(_draw(1, (*b, 2, 3), d)), _full(2, 3, (), d)]
    ),
    "blocks": lambda b, d: la.LinearOperatorBlockDiag(
        [la.LinearOperatorFullMatrix(_draw(i, (*b, 2, 3), d)) for i in (1, 2)]
    ),
    "kronecker": lambda b, d: la.LinearOperatorKronecker(
        [
            la.LinearOperatorFullMatrix(_draw(1, (*b, 2, 3), d)),
            la.LinearOperatorFullMatrix(_draw(2, (3, 2), d)),
        ]
    ),
    "low-rank": lambda b, d: la.LinearOperatorLowRankUpdate(
        la.LinearOperatorFullMatrix(_draw(1, (*b, 2, 3), d)),
        _draw(2, (2, 1), d),
        None,
        _draw(3, (*b, 3, 1), d),
    ),
}


def _h(a: np.ndarray) -> np.ndarray:
    return a.conj().swapaxes(-1, -2)


def _inv(a: np.ndarray) -> np.ndarray:
    return np.linalg.inv(a)


def _sum(a: np.ndarray) -> np.ndarray:
    return np.trace(a, axis1=-2, axis2=-1)


PRODUCTS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "matmul": (lambda o, x, y: o.matmul(x), lambda a, x, y: a @ x),
    "matmul-adjoint": (lambda o, x, y: o.matmul(y, adjoint=True), lambda a, x, y: _h(a) @ y),
    "matmul-arg": (lambda o, x, y: o.matmul(_h(x), adjoint_arg=True), lambda a, x, y: a @ x),
    "matmul-both": (lambda o, x, y: o.matmul(_h(y), adjoint=True, adjoint_arg=True), lambda a, x, y: _h(a) @ y),
    "matvec": (lambda o, x, y: o.matvec(x[..., 0]), lambda a, x, y: (a @ x)[..., 0]),
    "matvec-adjoint": (lambda o, x, y: o.matvec(y[..., 0], adjoint=True), lambda a, x, y: (_h(a) @ y)[..., 0]),
    "adjoint": (lambda o, x, y: o.H.matmul(y), lambda a, x, y: _h(a) @ y),
    "function": (lambda o, x, y: tf.matmul(_h(y), o), lambda a, x, y: _h(y) @ a),
    "add": (lambda o, x, y: o.add_to_tensor(np.ones(o.shape[-2:], o.dtype.as_numpy_dtype)), lambda a, x, y: a + 1),
    "diag_part": (lambda o, x, y: o.diag_part(), lambda a, x, y: np.diagonal(a, 0, -2, -1)),
    "trace": (lambda o, x, y: o.trace(), lambda a, x, y: _sum(a)),
}  # fmt: skip
SQUARES: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "solve": (lambda o, x, y: o.solve(x), lambda a, x, y: _inv(a) @ x),
    "solve-adjoint": (lambda o, x, y: o.solve(x, adjoint=True), lambda a, x, y: _inv(_h(a)) @ x),
    "solve-arg": (lambda o, x, y: o.solve(_h(x), adjoint_arg=True), lambda a, x, y: _inv(a) @ x),
    "solve-both": (
        lambda o, x, y: o.solve(_h(x), adjoint=True, adjoint_arg=True),
        lambda a, x, y: _inv(_h(a)) @ x,
    ),
    "solvevec": (lambda o, x, y: o.solvevec(x[..., 0]), lambda a, x, y: (_inv(a) @ x)[..., 0]),
    "solvevec-adjoint": (
        lambda o, x, y: o.solvevec(x[..., 0], adjoint=True),
        lambda a, x, y: (_inv(_h(a)) @ x)[..., 0],
    ),
    "inverse": (lambda o, x, y: o.inverse().to_dense(), lambda a, x, y: _inv(a)),
    "inverse-product": (lambda o, x, y: (o.inverse() @ o).to_dense(), lambda a, x, y: _inv(a) @ a),
    "solve-operator": (lambda o, x, y: o.solve(o).to_dense(), lambda a, x, y: _inv(a) @ a),
    "square": (lambda o, x, y: (o @ o).to_dense(), lambda a, x, y: a @ a),
    "determinant": (lambda o, x, y: o.determinant(), lambda a, x, y: np.linalg.det(a)),
    "log_abs": (lambda o, x, y: o.log_abs_determinant(), lambda a, x, y: np.linalg.slogdet(a)[1]),
    "cond": (lambda o, x, y: o.cond(), lambda a, x, y: np.linalg.cond(a)),
}


def _arguments(operator: Any, batch: tuple[int, ...], dtype: str) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = operator.shape[-2:]
    return _draw(8, (*batch, columns, 2), dtype), _draw(9, (*batch, rows, 2), dtype)


def _check(operator: Any, table: dict[str, Any], batch: tuple[int, ...], dtype: str, run: Any) -> None:
    dense = operator.to_dense().numpy()
    assert dense.shape == tuple(operator.shape)
    assert dense.dtype == np.dtype(dtype)
    x, y = _arguments(operator, batch, dtype)
    tolerance = 2e-3 if dtype in ("float32", "complex64") else 1e-9
    for name, (method, wanted) in table.items():
        found = run(method, operator, x, y)
        expected = wanted(dense, x, y)
        assert found.shape == expected.shape, name
        np.testing.assert_allclose(found.numpy(), expected, tolerance, tolerance, err_msg=name)


def _eagerly(method: Any, *args: Any) -> Any:
    return method(*args)


def _traced(method: Any, operator: Any, x: Any, y: Any) -> Any:
    """In a function whose argument the operator is; what it is traced for is another operator of the kind."""
    return tf.function(lambda o: method(o, x, y), autograph=False)(operator)


@pytest.mark.parametrize("batch", [(), (2,)], ids=["one", "batch"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
@pytest.mark.parametrize("name", OPERATORS)
def test_methods_are_those_of_the_dense_matrix(name: str, dtype: str, batch: tuple[int, ...]) -> None:
    _check(OPERATORS[name](batch, dtype), PRODUCTS | SQUARES, batch, dtype, _eagerly)


@pytest.mark.parametrize("batch", [(), (2,)], ids=["one", "batch"])
@pytest.mark.parametrize("name", RECTANGLES)
def test_rectangular_operators_multiply(name: str, batch: tuple[int, ...]) -> None:
    _check(RECTANGLES[name](batch, "float64"), PRODUCTS, batch, "float64", _eagerly)


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_are_arguments_of_functions(name: str) -> None:
    chosen = {
        k: v for k, v in (PRODUCTS | SQUARES).items() if k in ("matmul-adjoint", "solve", "log_abs", "trace")
    }
    _check(OPERATORS[name]((2,), "float64"), chosen, (2,), "float64", _traced)


def _rebuilt(operator: Any) -> tuple[list[np.ndarray], Callable[[list[Any]], Any]]:
    """The floating parts of an operator, and how one is made of such parts."""
    parts = tf.nest.flatten(operator, expand_composites=True)
    floating = [i for i, p in enumerate(parts) if p.dtype.is_floating or p.dtype.is_complex]

    def build(values: list[Any]) -> Any:
        whole = list(parts)
        for i, v in zip(floating, values, strict=True):
            whole[i] = v
        return tf.nest.pack_sequence_as(operator, whole, expand_composites=True)

    return [parts[i].numpy() for i in floating], build


@pytest.mark.parametrize("name", [n for n in OPERATORS if n not in ("identity", "permutation")])
def test_gradients_go_through_products_solutions_and_determinants(name: str) -> None:
    operator = OPERATORS[name]((), "float64")
    values, build = _rebuilt(operator)
    x, _ = _arguments(operator, (), "float64")
    hermitian = "hints" in name

    def loss(parts: list[Any]) -> Any:
        o = build(parts)
        return tf.reduce_sum(o.matmul(x) ** 3) + tf.reduce_sum(o.solve(x) ** 2) + o.log_abs_determinant()

    tensors = [tf.constant(v) for v in values]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        y = loss(tensors)
    gradients = tape.gradient(y, tensors)
    for seed in (11, 12):
        steps = [_draw(seed + i, v.shape, v.dtype.name) for i, v in enumerate(values)]
        if hermitian:
            steps = [s + _h(s) if s.ndim > 1 and s.shape[-1] == s.shape[-2] else s for s in steps]
        change = sum(
            loss([tf.constant(v + sign * 1e-6 * s) for v, s in zip(values, steps, strict=True)]) * sign
            for sign in (1, -1)
        )
        slope = sum(
            np.sum((np.conj(g.numpy()) * s).real)
            for g, s in zip(gradients, steps, strict=True)
            if g is not None
        )
        np.testing.assert_allclose(slope, change.numpy() / 2e-6, 1e-5)


@pytest.mark.parametrize(
    ("make", "spec"),
    [
        (la.LinearOperatorFullMatrix, [None, None, None]),
        (la.LinearOperatorLowerTriangular, [None, None, None]),
        (la.LinearOperatorDiag, [None, None]),
        (la.LinearOperatorHouseholder, [None, None]),
        (lambda m: la.LinearOperatorKronecker([la.LinearOperatorFullMatrix(m)] * 2), [None, None, None]),
        (lambda m: la.LinearOperatorBlockDiag([la.LinearOperatorFullMatrix(m)] * 2), [None, None, None]),
        (lambda d: la.LinearOperatorToeplitz(d + 3.0, d), [None, None]),
        (lambda d: la.LinearOperatorCirculant(d + 9.0, tf.float32), [None, None]),
        (lambda d: la.LinearOperatorTridiag([d, d + 9.0, d], "sequence"), [None, None]),
        (lambda d: la.LinearOperatorScaledIdentity(tf.shape(d)[-1], d[:, 0]), [None, None]),
        (lambda d: la.LinearOperatorIdentity(tf.shape(d)[-1], tf.shape(d)[:1]), [None, None]),
        (lambda d: la.LinearOperatorLowRankUpdate(la.LinearOperatorDiag(d), d[..., None]), [None, None]),
    ],
)
def test_shapes_may_be_unknown_while_a_function_is_traced(make: Any, spec: Any) -> None:
    shape = (2, 3, 3) if len(spec) == 3 else (2, 3)
    value = (_draw(5, shape, "float32") ** 2 + (4 * np.eye(3) if len(spec) == 3 else 1)).astype("float32")

    def answers(parameter: Any) -> Any:
        o = make(parameter)
        # The real part of a spectrum that is not Hermitian has another inverse, so a circulant one is multiplied only.
        y = o.matmul(tf.ones(tf.concat([o.batch_shape_tensor(), [o.domain_dimension_tensor(), 2]], 0)))
        x = y if isinstance(o, la.LinearOperatorCirculant) else o.solve(y)
        return x, y, o.to_dense(), o.diag_part(), o.shape_tensor(), o.trace()

    traced = tf.function(answers, input_signature=[tf.TensorSpec(spec)], autograph=False)
    for found, wanted in zip(traced(value), answers(tf.constant(value)), strict=True):
        np.testing.assert_allclose(found, wanted, 1e-4, 1e-4)


def test_functions_are_traced_once_for_operators_that_differ_in_values_only() -> None:
    traces = []

    @tf.function(reduce_retracing=True)
    def product(operator: Any, x: Any) -> Any:
        traces.append(operator)
        return operator.matvec(x)

    for n in (2, 2, 3, 4):
        operator = la.LinearOperatorDiag(np.full(n, float(n), np.float32))
        assert product(operator, tf.ones(n)).numpy().tolist() == [float(n)] * n
    assert len(traces) == 2
    product(la.LinearOperatorDiag([1.0, 2.0], is_positive_definite=True), tf.ones(2))
    assert len(traces) == 3


def test_a_specification_is_an_input_signature_and_operators_are_results() -> None:
    spec = la.LinearOperatorLowerTriangular(tf.eye(2))._type_spec
    function = tf.function(lambda o: (o, o.inverse()), input_signature=[spec])
    given = la.LinearOperatorLowerTriangular([[2.0, 9.0], [1.0, 4.0]])
    same, inverse = function(given)
    assert isinstance(same, la.LinearOperatorLowerTriangular)
    assert same.to_dense().numpy().tolist() == [[2.0, 0.0], [1.0, 4.0]]
    np.testing.assert_allclose(inverse.matmul(given.to_dense()), np.eye(2), atol=1e-6)
    assert spec == given._type_spec
    assert spec.is_compatible_with(same)
    assert hash(spec) == hash(given._type_spec)


def test_operators_compile() -> None:
    made = [OPERATORS[n]((), "float32") for n in ("tridiag", "circulant", "kronecker", "low-rank")]

    def answers(operators: Any) -> Any:
        return [(o.matmul(tf.ones([o.shape[-1], 1])), o.log_abs_determinant()) for o in operators]

    compiled = tf.function(answers, jit_compile=True, autograph=False)(made)
    for found, wanted in zip(tf.nest.flatten(compiled), tf.nest.flatten(answers(made)), strict=True):
        np.testing.assert_allclose(found, wanted, 1e-4, 1e-4)


def test_variables_stay_variables_and_functions_see_their_assignments() -> None:
    scale, diag = tf.Variable([1.0, 2.0]), tf.Variable([3.0, 4.0], trainable=False)
    operator = la.LinearOperatorBlockDiag([la.LinearOperatorDiag(scale), la.LinearOperatorDiag(diag)])
    assert {id(v) for v in operator.variables} == {id(scale), id(diag)}
    assert [id(v) for v in operator.trainable_variables] == [id(scale)]
    total = tf.function(lambda o: tf.reduce_sum(o.matvec(tf.ones(4))))
    assert total(operator).numpy() == 10.0
    scale.assign([5.0, 6.0])
    assert total(operator).numpy() == 18.0
    assert (
        total(la.LinearOperatorBlockDiag([la.LinearOperatorDiag(diag), la.LinearOperatorDiag(diag)])).numpy()
        == 14.0
    )
    with tf.GradientTape() as tape:
        loss = total(operator)
    assert tape.gradient(loss, scale).numpy().tolist() == [1.0, 1.0]


def test_gradients_with_respect_to_an_operator_are_an_operator() -> None:
    operator = la.LinearOperatorDiag(tf.constant([2.0, 4.0]))
    with tf.GradientTape() as tape:
        tape.watch(operator)
        loss = tf.reduce_sum(operator.solvevec([4.0, 8.0]))
    gradient = tape.gradient(loss, operator)
    assert isinstance(gradient, la.LinearOperatorDiag)
    assert gradient.diag.numpy().tolist() == [-1.0, -0.5]


def test_structures_branches_and_loops_take_operators() -> None:
    one, two = la.LinearOperatorDiag([1.0, 2.0]), la.LinearOperatorDiag([3.0, 4.0])
    doubled = tf.nest.map_structure(lambda t: 2 * t, one, expand_composites=True)
    assert doubled.diag_part().numpy().tolist() == [2.0, 4.0]
    assert tf.stop_gradient(one).diag_part().numpy().tolist() == [1.0, 2.0]

    @tf.function
    def chosen(first: Any, times: Any) -> Any:
        start = tf.cond(first, lambda: one, lambda: two)
        return tf.while_loop(lambda i, o: i < times, lambda i, o: (i + 1, o @ one), (0, start))[1].diag

    assert chosen(tf.constant(False), tf.constant(2)).numpy().tolist() == [3.0, 16.0]


def test_checkpoints_hold_the_variables_of_operators(tmp_path: Any) -> None:
    value = tf.Variable([1.0, 2.0])
    checkpoint = tf.train.Checkpoint(operator=la.LinearOperatorDiag(value))
    path = checkpoint.save(str(tmp_path / "a"))
    value.assign([0.0, 0.0])
    checkpoint.restore(path)
    assert value.numpy().tolist() == [1.0, 2.0]
    assert "operator/_diag/.ATTRIBUTES/VARIABLE_VALUE" in dict(tf.train.list_variables(path))


class _Reversal(la.LinearOperator):
    """An operator of a program's own: rows in reverse order."""

    def __init__(self, size: int) -> None:
        super().__init__(tf.float32, is_square=True, parameters={"size": size})
        self._size = size

    def _shape(self) -> Any:
        return tf.TensorShape([self._size, self._size])

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        return tf.reverse(la.adjoint(x) if adjoint_arg else x, [-2])


def test_a_class_of_ones_own_gets_the_other_methods() -> None:
    operator = _Reversal(2)
    assert operator.to_dense().numpy().tolist() == [[0.0, 1.0], [1.0, 0.0]]
    assert operator.solvevec([1.0, 2.0]).numpy().tolist() == [2.0, 1.0]
    assert operator.determinant().numpy() == -1.0
    assert operator.trace().numpy() == 0.0
    total = tf.function(lambda o: o.matvec(tf.range(float(o.domain_dimension)))[0])
    assert [total(o).numpy() for o in (operator, _Reversal(5))] == [1.0, 4.0]
    with pytest.raises(TypeError, match="_matmul"):
        la.LinearOperator(tf.float32)


def test_parts_of_a_batch() -> None:
    blocks = [la.LinearOperatorFullMatrix(_draw(1, (2, 3, 2, 2), "float64")), _full(2, 1, (3,), "float64")]
    whole = la.LinearOperatorBlockDiag(blocks)
    dense = whole.to_dense().numpy()
    for index in (0, (1, 2), (slice(None), 1), (..., 2), (slice(0, 1),), (tf.newaxis, 1)):
        part = whole[index]
        rest = index if isinstance(index, tuple) else (index,)
        wanted = dense[tuple(np.newaxis if i is tf.newaxis else i for i in rest) + (
            () if Ellipsis in rest else (Ellipsis,)) + (slice(None),) * 2]  # fmt: skip
        np.testing.assert_allclose(part.to_dense(), wanted)
    assert la.LinearOperatorIdentity(2, batch_shape=[3, 4])[1].batch_shape.as_list() == [4]
