"""Names for the expressions of linear_operator.txt: one operator of each class and more, arguments, and helpers."""

from __future__ import annotations

from typing import Any

import numpy as np


def names(tf: Any) -> dict[str, Any]:
    """Operators of size 4, made when they are used, and helpers that round what the last bits differ in."""
    la = tf.linalg
    definite = {"is_self_adjoint": True, "is_positive_definite": True}
    m = np.array([[4, 1, 0, 2], [-1, 5, 1, 0], [2, 0, 6, 1], [1, 1, -2, 7]], np.float32)
    s = (m @ m.T / 8).astype(np.float32)
    b = np.stack([m, m.T + np.eye(4, dtype=np.float32)])
    u = np.array([[1, 0], [2, 1], [0, -1], [1, 1]], np.float32)
    cm = (m + 1j * np.triu(m, 1)).astype(np.complex64)

    def full(value: Any, **hints: Any) -> Any:
        return la.LinearOperatorFullMatrix(value, **hints)

    def adjusted(value: Any) -> Any:
        rounded = tf.round(value * 512) / 512
        return tf.where(tf.equal(rounded, 0), tf.zeros_like(rounded), rounded)

    def near(value: Any) -> Any:
        """Rounded to a power of two, which is exact in all backends, without negative zeros; of lists each part, of operators the dense matrix."""
        if isinstance(value, (list, tuple)):
            return [near(v) for v in value]
        value = value.to_dense() if isinstance(value, la.LinearOperator) else value
        if value.dtype.is_complex:
            return tf.complex(adjusted(tf.math.real(value)), adjusted(tf.math.imag(value)))
        return adjusted(value) if value.dtype.is_floating else value

    def what(o: Any) -> Any:
        """Class and hints."""
        hints = (o.is_non_singular, o.is_self_adjoint, o.is_positive_definite, o.is_square)
        return (type(o).__name__, o.name, *map(str, hints))

    def sizes(o: Any) -> Any:
        """Everything about the shape and the dtype."""
        static = (
            o.shape,
            o.batch_shape,
            o.tensor_rank,
            int(o.domain_dimension),
            int(o.range_dimension),
            o.dtype,
        )
        tensors = (
            o.shape_tensor(),
            o.batch_shape_tensor(),
            o.tensor_rank_tensor(),
            o.domain_dimension_tensor(),
        )
        return (str(static), *tensors, o.range_dimension_tensor())

    def products(o: Any, x: Any) -> Any:
        turned = la.adjoint(x)
        return near([
            o.matmul(x), o.matmul(x, adjoint=True), o.matmul(turned, adjoint_arg=True),
            o.matmul(turned, adjoint=True, adjoint_arg=True), o.matvec(x[..., 0]), o.matvec(x[..., 0], adjoint=True),
        ])  # fmt: skip

    def solutions(o: Any, x: Any) -> Any:
        turned = la.adjoint(x)
        return near([
            o.solve(x), o.solve(x, adjoint=True), o.solve(turned, adjoint_arg=True),
            o.solve(turned, adjoint=True, adjoint_arg=True), o.solvevec(x[..., 0]), o.solvevec(x[..., 0], adjoint=True),
        ])  # fmt: skip

    def numbers(o: Any) -> Any:
        return near([o.determinant() / 1000, o.log_abs_determinant(), o.trace(), o.diag_part(), o.cond()])

    def act(function: Any) -> str:
        """That a check passes; what it gives is nothing eagerly and an operation in a graph."""
        function()
        return "passed"

    def grad(function: Any, *values: Any) -> Any:
        tensors = [tf.constant(v) for v in values]
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            y = function(*tensors)
        return near(tape.gradient(y, tensors))

    make = {
        "I": lambda: la.LinearOperatorIdentity(4),
        "I2": lambda: la.LinearOperatorIdentity(4, batch_shape=[2], dtype=tf.float64),
        "SI": lambda: la.LinearOperatorScaledIdentity(4, 3.0),
        "SI2": lambda: la.LinearOperatorScaledIdentity(4, [2.0, 3.0], is_positive_definite=True),
        "D": lambda: la.LinearOperatorDiag([1.0, -2.0, 3.0, 4.0]),
        "D2": lambda: la.LinearOperatorDiag([[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]], is_positive_definite=True),
        "DC": lambda: la.LinearOperatorDiag(tf.constant([1 + 1j, 2, -1j, 1], tf.complex64)),
        "LT": lambda: la.LinearOperatorLowerTriangular(m),
        "LT2": lambda: la.LinearOperatorLowerTriangular(b, is_non_singular=True),
        "F": lambda: full(m),
        "F2": lambda: full(b.astype(np.float64)),
        "FC": lambda: full(cm),
        "FP": lambda: full(s, **definite),
        "R": lambda: full(m[:3]),
        "Z": lambda: la.LinearOperatorZeros(4),
        "ZR": lambda: la.LinearOperatorZeros(3, 4, batch_shape=[2], is_square=False, is_self_adjoint=None),
        "P": lambda: la.LinearOperatorPermutation([2, 0, 3, 1]),
        "P2": lambda: la.LinearOperatorPermutation([[2, 0, 3, 1], [3, 2, 1, 0]]),
        "H": lambda: la.LinearOperatorHouseholder([1.0, 2.0, 0.0, -1.0]),
        "T": lambda: la.LinearOperatorTridiag(m[:3] + [[0], [5], [0]]),
        "TS": lambda: la.LinearOperatorTridiag((m[0], m[1] + 6, m[2]), "sequence"),
        "TM": lambda: la.LinearOperatorTridiag(np.triu(np.tril(m, 1), -1), "matrix"),
        "To": lambda: la.LinearOperatorToeplitz([5.0, 1.0, 2.0, 0.5], [5.0, 3.0, -1.0, 2.0]),
        "C": lambda: la.LinearOperatorCirculant([6.0, 1.0, 2.0, 1.0], tf.float32),
        "CC": lambda: la.LinearOperatorCirculant(tf.constant([6j, 1, 2, 1 + 1j], tf.complex64)),
        "C2": lambda: la.LinearOperatorCirculant2D([[6.0, 1.0], [2.0, 3.0]], tf.float32, is_positive_definite=True),
        "C3": lambda: la.LinearOperatorCirculant3D([[[6.0, 1.0], [2.0, 3.0]]], tf.float32),
        "Co": lambda: la.LinearOperatorComposition([full(m), la.LinearOperatorDiag([1.0, -2.0, 3.0, 4.0])]),
        "A": lambda: la.LinearOperatorAdjoint(full(m)),
        "In": lambda: la.LinearOperatorInversion(full(m, is_non_singular=True)),
        "B": lambda: la.LinearOperatorBlockDiag([la.LinearOperatorDiag([2.0]), full(m[:3, :3])]),
        "BP": lambda: la.LinearOperatorBlockDiag([full(s[:2, :2], **definite)] * 2),
        "BR": lambda: la.LinearOperatorBlockDiag([full(m[:1, :3]), full(m[:2, :1])], is_square=None),
        "BL": lambda: la.LinearOperatorBlockLowerTriangular([[la.LinearOperatorDiag([2.0])], [full(m[:3, :1]), full(m[:3, :3])]]),
        "K": lambda: la.LinearOperatorKronecker([full(m[:2, :2]), full(m[2:, 2:])]),
        "KP": lambda: la.LinearOperatorKronecker([full(s[:2, :2], **definite), full(s[2:, 2:], **definite)]),
        "KR": lambda: la.LinearOperatorKronecker([full(m[:1, :2]), full(m[:3, :2])]),
        "LR": lambda: la.LinearOperatorLowRankUpdate(full(m), u, [2.0, 3.0], u[::-1].copy()),
        "LP": lambda: la.LinearOperatorLowRankUpdate(
            la.LinearOperatorDiag([1.0, 2.0, 3.0, 4.0], is_positive_definite=True), u, [2.0, 3.0], is_diag_update_positive=True
        ),
    }  # fmt: skip

    class Operators(dict):
        """The operators by name, each made once."""

        def __missing__(self, key: str) -> Any:
            self[key] = make[key]()
            return self[key]

    return {
        "o": Operators(),
        "la": la,
        "E": la.experimental,
        "full": full,
        "definite": definite,
        "near": near,
        "what": what,
        "sizes": sizes,
        "products": products,
        "solutions": solutions,
        "numbers": numbers,
        "act": act,
        "grad": grad,
        "m": m,
        "s": s,
        "b": b,
        "u": u,
        "cm": cm,
        "x": tf.constant([[1.0, 2.0], [3.0, 4.0], [-1.0, 0.5], [2.0, 0.0]]),
        "x2": tf.constant(b[:, :, :2]),
        "xd": tf.constant(b[:, :, :2].astype(np.float64)),
        "xc": tf.constant(cm[:, :2]),
        "v": tf.Variable([1.0, 2.0, 3.0, 4.0]),
    }
