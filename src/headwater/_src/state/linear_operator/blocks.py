"""Operators made of blocks: block diagonal and block lower triangular ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import headwater._src.ops.create as create
import headwater._src.ops.joining as joining
import headwater._src.ops.math as math
from headwater._src.base import nest
from headwater._src.base.exporting import export
from headwater._src.base.shapes import TensorShape
from headwater._src.core.convert import convert
from headwater._src.ops.cast import cast
from headwater._src.state.linear_operator.base import LinearOperator, batch_tensor_of, kind
from headwater._src.state.linear_operator.parts import (
    adjoint_if,
    all_hint,
    always,
    arguments,
    broadcast_batches,
    column,
    dims_of,
    hints_of,
    joint_batch,
    matrix_shape,
    need_operators,
    product_hints,
    same_dtype,
    uncolumn,
)


def _total(sizes: Sequence[Any]) -> Any:
    return None if None in sizes else sum(sizes)


def _product(values: Sequence[Any]) -> Any:
    found = values[0]
    for value in values[1:]:
        found = found * value
    return found


class BlockOperator(LinearOperator):
    """Base of the operators made of blocks: they also take and give a list with a part for each block."""

    def _row_operators(self) -> list[Any]:
        """An operator for each block row, with its height."""
        raise NotImplementedError

    def _column_operators(self) -> list[Any]:
        """An operator for each block column, with its width."""
        raise NotImplementedError

    def _block_matmul(self, parts: list[Any], adjoint: bool) -> list[Any]:
        raise NotImplementedError

    def _block_solve(self, parts: list[Any], adjoint: bool) -> list[Any]:
        raise NotImplementedError

    def _heights(self, rows: bool) -> list[int | None]:
        if rows:
            return [o.range_dimension for o in self._row_operators()]
        return [o.domain_dimension for o in self._column_operators()]

    def _height_tensors(self, rows: bool) -> list[Any]:
        if rows:
            return [o.range_dimension_tensor() for o in self._row_operators()]
        return [o.domain_dimension_tensor() for o in self._column_operators()]

    def _parts_of(self, x: Any, axis: int, rows: bool) -> list[Any] | None:
        """The tensors of an argument that is a list with a part for each block; None if it is one tensor."""
        sizes = self._heights(rows)
        if not isinstance(x, (list, tuple)) or len(x) != len(sizes):
            return None
        parts = [convert(p) for p in x]
        if any(len(dims_of(p) or (1, 1)) < -axis for p in parts):
            return None
        given = [p.shape[axis] for p in parts]
        if len(sizes) > 1 and None not in sizes and all(g == _total(sizes) for g in given):
            return None
        return [self._part(p, axis, size) for p, size in zip(parts, sizes, strict=True)]

    def _part(self, part: Any, axis: int, size: int | None) -> Any:
        self._check_input_dtype(part)
        if None not in (part.shape[axis], size) and part.shape[axis] != size:
            raise ValueError(
                f"{self.name}: a part of shape {part.shape} was given where the block needs {size} rows."
            )
        return part

    def matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False, name: str = "matmul") -> Any:
        """The product, as in `LinearOperator.matmul`; a list with a part of x for each block gives such a list."""
        parts = self._parts_of(x, -1 if adjoint_arg else -2, rows=adjoint)
        if parts is None:
            return super().matmul(x, adjoint, adjoint_arg)
        return self._block_matmul([adjoint_if(p, adjoint_arg) for p in parts], adjoint)

    def matvec(self, x: Any, adjoint: bool = False, name: str = "matvec") -> Any:
        """The product, as in `LinearOperator.matvec`; a list with a part of x for each block gives such a list."""
        parts = self._parts_of(x, -1, rows=adjoint)
        if parts is None:
            return super().matvec(x, adjoint)
        return [uncolumn(y) for y in self._block_matmul([column(p) for p in parts], adjoint)]

    def solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False, name: str = "solve") -> Any:
        """The solution, as in `LinearOperator.solve`; a list with a part of rhs for each block gives such a list."""
        self._need_solvable()
        parts = self._parts_of(rhs, -1 if adjoint_arg else -2, rows=not adjoint)
        if parts is None:
            return super().solve(rhs, adjoint, adjoint_arg)
        return self._block_solve([adjoint_if(p, adjoint_arg) for p in parts], adjoint)

    def solvevec(self, rhs: Any, adjoint: bool = False, name: str = "solve") -> Any:
        """The solution, as in `LinearOperator.solvevec`; a list with a part of rhs for each block gives such a list."""
        self._need_solvable()
        parts = self._parts_of(rhs, -1, rows=not adjoint)
        if parts is None:
            return super().solvevec(rhs, adjoint)
        return [uncolumn(y) for y in self._block_solve([column(p) for p in parts], adjoint)]

    def _split(self, x: Any, rows: bool) -> list[Any]:
        sizes: Any = self._heights(rows)
        if None in sizes:
            sizes = joining.stack(self._height_tensors(rows))
            return joining.split(x, sizes, axis=-2, num=len(self._heights(rows)))
        return joining.split(x, sizes, axis=-2)

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        parts = self._split(adjoint_if(x, adjoint_arg), rows=adjoint)
        return joining.concat(broadcast_batches(*self._block_matmul(parts, adjoint)), -2)

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        parts = self._split(adjoint_if(rhs, adjoint_arg), rows=not adjoint)
        return joining.concat(broadcast_batches(*self._block_solve(parts, adjoint)), -2)

    def _all_operators(self) -> list[Any]:
        return nest.flatten(self._operators)  # type: ignore[attr-defined]

    def _shape(self) -> TensorShape:
        batch = joint_batch([o.batch_shape for o in self._all_operators()])
        return batch.concatenate([_total(self._heights(True)), _total(self._heights(False))])

    def _shape_tensor(self) -> Any:
        rows, columns = (math.add_n(self._height_tensors(r)) for r in (True, False))
        return matrix_shape(batch_tensor_of(self._all_operators()), rows, columns)

    def _grid(self) -> list[list[Any]]:
        """The operators of each block row, None where a block is zero."""
        raise NotImplementedError

    def _to_dense(self) -> Any:
        if None in (*self._heights(True), *self._heights(False)):
            return super()._to_dense()
        rows = []
        for height, line in zip(self._heights(True), self._grid(), strict=True):
            cells = [
                create.zeros([height, width], self.dtype) if o is None else o.to_dense()
                for width, o in zip(self._heights(False), line, strict=True)
            ]
            rows.append(joining.concat(broadcast_batches(*cells), -1))
        return joining.concat(broadcast_batches(*rows), -2)

    @property
    def _composite_tensor_fields(self) -> Any:
        return ("operators",)


@export("linalg.LinearOperatorBlockDiag")
class LinearOperatorBlockDiag(BlockOperator):
    """Operators along the diagonal of a larger one, which is zero elsewhere.

    Args:
      operators: linear operators of one dtype; they may have any shape.
      is_non_singular: whether the matrices are regular.
      is_self_adjoint: whether they equal their conjugate transposes.
      is_positive_definite: whether they are positive definite.
      is_square: whether they are square.
      name: a name; by default those of the operators, with "_ds_" between them.

    Raises:
      ValueError: there are no operators, or a hint is False that is True for all of them.
      TypeError: their dtypes differ.

    >>> blocks = [tf.linalg.LinearOperatorIdentity(1), tf.linalg.LinearOperatorDiag([2.0, 3.0])]
    >>> tf.linalg.LinearOperatorBlockDiag(blocks).diag_part().numpy()
    array([1., 2., 3.], dtype=float32)
    """

    def __init__(
        self, operators: Any, is_non_singular: bool | None = None, is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None, is_square: bool | None = True, name: str | None = None,
    ) -> None:  # fmt: skip
        parameters = arguments(locals())
        operators = need_operators("LinearOperatorBlockDiag", operators)
        dtype = same_dtype("LinearOperatorBlockDiag", operators)
        if name is None:
            name = "_ds_".join(o.name for o in operators)
        why = "it is True for all operators"
        is_non_singular = all_hint(name, "is_non_singular", is_non_singular, operators, why)
        is_self_adjoint = all_hint(name, "is_self_adjoint", is_self_adjoint, operators, why)
        is_positive_definite = all_hint(name, "is_positive_definite", is_positive_definite, operators, why)
        super().__init__(
            dtype, None, is_non_singular, is_self_adjoint, is_positive_definite, is_square, name, parameters
        )
        self._operators = operators

    @property
    def operators(self) -> list[Any]:
        """The operators along the diagonal."""
        return self._operators

    def _row_operators(self) -> list[Any]:
        return list(self._operators)

    _column_operators = _row_operators

    def _grid(self) -> list[list[Any]]:
        count = len(self._operators)
        return [[o if i == j else None for j in range(count)] for i, o in enumerate(self._operators)]

    def _block_matmul(self, parts: list[Any], adjoint: bool) -> list[Any]:
        return [o.matmul(p, adjoint=adjoint) for o, p in zip(self._operators, parts, strict=True)]

    def _block_solve(self, parts: list[Any], adjoint: bool) -> list[Any]:
        return [o.solve(p, adjoint=adjoint) for o, p in zip(self._operators, parts, strict=True)]

    def _pairs(self, right: Any) -> Any:
        """The blocks of this operator beside those of another one; None where they differ in number or size."""
        if not isinstance(right, LinearOperatorBlockDiag) or len(right.operators) != len(self._operators):
            return None
        pairs = list(zip(self._operators, right.operators, strict=True))
        fit = all(a.domain_dimension == b.range_dimension is not None for a, b in pairs)
        return pairs if fit else None

    def _linop_matmul(self, right: Any) -> Any:
        pairs = self._pairs(right)
        if pairs is None:
            return super()._linop_matmul(right)
        return LinearOperatorBlockDiag(
            [a.matmul(b) for a, b in pairs], **product_hints(self, right, commute=self is right)
        )

    def _linop_solve(self, right: Any) -> Any:
        pairs = self._pairs(right)
        if pairs is None:
            return super()._linop_solve(right)
        return LinearOperatorBlockDiag(
            [a.solve(b) for a, b in pairs], **product_hints(self, right, commute=False)
        )

    def _linop_adjoint(self) -> Any:
        return LinearOperatorBlockDiag([o.adjoint() for o in self._operators], **hints_of(self))

    def _linop_inverse(self) -> Any:
        return LinearOperatorBlockDiag([o.inverse() for o in self._operators], **hints_of(self))

    def _linop_cholesky(self) -> Any:
        return LinearOperatorBlockDiag(
            [o.cholesky() for o in self._operators],
            is_non_singular=True,
            is_self_adjoint=None,
            is_square=True,
        )

    def _assert_non_singular(self) -> Any:
        return [o.assert_non_singular() for o in self._operators][-1]

    def _assert_positive_definite(self) -> Any:
        return [o.assert_positive_definite() for o in self._operators][-1]

    def _assert_self_adjoint(self) -> Any:
        return [o.assert_self_adjoint() for o in self._operators][-1]

    def _square_blocks(self) -> bool:
        return all(o.is_square for o in self._operators)

    def _determinant(self) -> Any:
        if not self._square_blocks():
            return super()._determinant()
        return _product([o.determinant() for o in self._operators])

    def _log_abs_determinant(self) -> Any:
        if not self._square_blocks():
            return super()._log_abs_determinant()
        return _summed([cast(o.log_abs_determinant(), self.dtype) for o in self._operators])

    def _trace(self) -> Any:
        if not self._square_blocks():
            return super()._trace()
        return _summed([o.trace() for o in self._operators])

    def _diag_part(self) -> Any:
        if not self._square_blocks():
            return super()._diag_part()
        return joining.concat(broadcast_batches(*[o.diag_part() for o in self._operators], ndims=1), -1)

    def _eigvals(self) -> Any:
        if not all(o.is_self_adjoint for o in self._operators):
            return super()._eigvals()
        return joining.concat(broadcast_batches(*[o.eigvals() for o in self._operators], ndims=1), -1)


@export("linalg.LinearOperatorBlockLowerTriangular")
class LinearOperatorBlockLowerTriangular(BlockOperator):
    """A lower triangular matrix of operators. Systems are solved by substitution, block after block.

    Args:
      operators: a list of lists of linear operators of one dtype: row i has i + 1 of them, the last one square.
      is_non_singular: whether the matrices are regular.
      is_self_adjoint: whether they equal their conjugate transposes.
      is_positive_definite: whether they are positive definite.
      is_square: True or None.
      name: a name.

    Raises:
      ValueError: the rows have other lengths, the shapes don't fit, or a hint contradicts those of the diagonal.
      TypeError: the dtypes differ.
    """

    def __init__(
        self, operators: Any, is_non_singular: bool | None = None, is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None, is_square: bool | None = None,
        name: str = "LinearOperatorBlockLowerTriangular",
    ) -> None:  # fmt: skip
        parameters = arguments(locals())
        rows = [need_operators(name, line) for line in need_operators(name, operators)]
        _check_triangle(name, rows)
        dtype = same_dtype(name, [o for line in rows for o in line])
        is_square = always(name, "is_square", is_square, True, "block triangular operators are")
        diagonal = [line[-1] for line in rows]
        if any(o.is_non_singular is False for o in diagonal):
            is_non_singular = always(
                name, "is_non_singular", is_non_singular, False, "a block of the diagonal is singular"
            )
        elif all(o.is_non_singular for o in diagonal):
            is_non_singular = always(
                name, "is_non_singular", is_non_singular, True, "all blocks of the diagonal are regular"
            )
        super().__init__(
            dtype, None, is_non_singular, is_self_adjoint, is_positive_definite, is_square, name, parameters
        )
        self._operators = rows

    @property
    def operators(self) -> list[list[Any]]:
        """The operators, row by row."""
        return self._operators

    @property
    def _diagonal_operators(self) -> list[Any]:
        return [line[-1] for line in self._operators]

    def _row_operators(self) -> list[Any]:
        return self._diagonal_operators

    _column_operators = _row_operators

    def _grid(self) -> list[list[Any]]:
        count = len(self._operators)
        return [[*line, *[None] * (count - len(line))] for line in self._operators]

    def _block_matmul(self, parts: list[Any], adjoint: bool) -> list[Any]:
        rows = range(len(self._operators))
        if adjoint:
            terms = [[(self._operators[i][j], parts[i]) for i in rows if i >= j] for j in rows]
        else:
            terms = [list(zip(line, parts, strict=False)) for line in self._operators]
        return [_summed([o.matmul(p, adjoint=adjoint) for o, p in line]) for line in terms]

    def _block_solve(self, parts: list[Any], adjoint: bool) -> list[Any]:
        rows = list(range(len(self._operators)))
        found: dict[int, Any] = {}
        for i in reversed(rows) if adjoint else rows:
            rest = parts[i]
            for j, solved in found.items():
                block = self._operators[j][i] if adjoint else self._operators[i][j]
                rest = rest - block.matmul(solved, adjoint=adjoint)
            found[i] = self._operators[i][i].solve(rest, adjoint=adjoint)
        return [found[i] for i in rows]

    def _linop_inverse(self) -> Any:
        """The inverse is of the same form: column by column, block (i, j) is -inverse(A_ii) @ sum of A_ik @ inverse_kj."""
        inverses = [o.inverse() for o in self._diagonal_operators]
        rows: list[list[Any]] = []
        for i, line in enumerate(self._operators):
            blocks = []
            for j in range(i):
                done = [rows[k][j] for k in range(j, i)]
                terms = [kind("Composition")([a, b]) for a, b in zip(line[j:i], done, strict=True)]
                total = (
                    terms[0]
                    if len(terms) == 1
                    else kind("FullMatrix")(_summed([t.to_dense() for t in terms]))
                )
                blocks.append(_negative(kind("Composition")([inverses[i], total])))
            rows.append([*blocks, inverses[i]])
        return LinearOperatorBlockLowerTriangular(rows, **hints_of(self))

    def _determinant(self) -> Any:
        return _product([o.determinant() for o in self._diagonal_operators])

    def _log_abs_determinant(self) -> Any:
        return _summed([cast(o.log_abs_determinant(), self.dtype) for o in self._diagonal_operators])

    def _trace(self) -> Any:
        return _summed([o.trace() for o in self._diagonal_operators])

    def _assert_non_singular(self) -> Any:
        return [o.assert_non_singular() for o in self._diagonal_operators][-1]

    def _diag_part(self) -> Any:
        parts = [o.diag_part() for o in self._diagonal_operators]
        return self._wide(joining.concat(broadcast_batches(*parts, ndims=1), -1), 1)

    def _eigvals(self) -> Any:
        parts = [o.eigvals() for o in self._diagonal_operators]
        return self._wide(joining.concat(broadcast_batches(*parts, ndims=1), -1), 1)


def _summed(values: list[Any]) -> Any:
    found = values[0]
    for value in values[1:]:
        found = found + value
    return found


def _negative(operator: Any) -> Any:
    """Minus an operator."""
    size = operator.range_dimension
    rows = operator.range_dimension_tensor() if size is None else size
    minus = kind("ScaledIdentity")(rows, convert(-1, operator.dtype), is_non_singular=True)
    return kind("Composition")([minus, operator])


def _check_triangle(what: str, rows: list[list[Any]]) -> None:
    for i, line in enumerate(rows):
        if len(line) != i + 1:
            raise ValueError(f"{what}: row {i} of operators must have {i + 1} blocks; got {len(line)}.")
        if line[-1].is_square is False:
            raise ValueError(
                f"{what}: the blocks of the diagonal must be square; that of row {i} has shape {line[-1].shape}."
            )
        for j, block in enumerate(line[:-1]):
            for mine, wanted, side in (
                (block.range_dimension, line[-1].range_dimension, "rows"),
                (block.domain_dimension, rows[j][-1].domain_dimension, "columns"),
            ):
                if None not in (mine, wanted) and mine != wanted:
                    raise ValueError(f"{what}: block ({i}, {j}) must have {wanted} {side}; it has {mine}.")
