"""Circulant operators: matrices whose product is a convolution with periodic borders, taken by the Fourier transform."""

from __future__ import annotations

from typing import Any

import headwater._src.ops.checks as checks
import headwater._src.ops.create as create
import headwater._src.ops.joining as joining
import headwater._src.ops.layout as layout
import headwater._src.ops.linalg as linalg
import headwater._src.ops.math as math
import headwater._src.ops.reduce as reduce
import headwater._src.ops.signal as signal
from headwater._src.base import dtypes
from headwater._src.base.exporting import export
from headwater._src.base.shapes import TensorShape, num_elements, wrap
from headwater._src.core.convert import convert
from headwater._src.ops.cast import cast
from headwater._src.ops.shape import reverse, roll
from headwater._src.state.linear_operator.base import LinearOperator
from headwater._src.state.linear_operator.parts import (
    always,
    arguments,
    conj,
    dims_of,
    hints_of,
    imag,
    joint_batch,
    matrix_shape,
    need_rank,
    parameter,
    product_hints,
    real,
    static_vector,
)

_FFT = {1: signal.fft, 2: signal.fft2d, 3: signal.fft3d}
_IFFT = {1: signal.ifft, 2: signal.ifft2d, 3: signal.ifft3d}


class CirculantOperator(LinearOperator):
    """Base of the circulant operators, which differ in the number of dimensions that are convolved."""

    _block_depth = 1

    def __init__(
        self, spectrum: Any, input_output_dtype: Any = dtypes.complex64, is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None, is_positive_definite: bool | None = None, is_square: bool | None = True,
        name: str | None = None,
    ) -> None:  # fmt: skip
        parameters = arguments(locals())
        what = name or type(self).__name__
        value = parameter(spectrum)
        need_rank(what, "spectrum", value, self._block_depth)
        if not value.dtype.is_complex:
            is_self_adjoint = always(
                what, "is_self_adjoint", is_self_adjoint, True, "operators with a real spectrum are"
            )
        is_square = always(what, "is_square", is_square, True, "circulant operators are")
        super().__init__(
            input_output_dtype,
            None,
            is_non_singular,
            is_self_adjoint,
            is_positive_definite,
            is_square,
            what,
            parameters,
        )
        self._spectrum = value
        self._input_output_dtype = self.dtype

    @property
    def spectrum(self) -> Any:
        """The eigenvalues as they were given: the Fourier transform of the convolution's kernel."""
        return self._spectrum

    @property
    def block_depth(self) -> int:
        """The number of dimensions that are convolved."""
        return self._block_depth

    @property
    def block_shape(self) -> TensorShape:
        """The static shape of what is convolved."""
        dims = dims_of(self._spectrum)
        return wrap(None if dims is None else dims[-self._block_depth :])

    def block_shape_tensor(self) -> Any:
        """The same as an int32 tensor."""
        known = static_vector(self.block_shape._dims)
        return layout.shape(self._spectrum)[-self._block_depth :] if known is None else known

    def _shape(self) -> TensorShape:
        dims = dims_of(self._spectrum)
        if dims is None:
            return wrap(None)
        size = num_elements(dims[-self._block_depth :])
        return wrap((*dims[: -self._block_depth], size, size))

    def _shape_tensor(self) -> Any:
        dims = layout.shape(self._spectrum)
        size = reduce.reduce_prod(dims[-self._block_depth :])
        return matrix_shape(dims[: -self._block_depth], size, size)

    def _complex_dtype(self) -> Any:
        if self.dtype.is_complex:
            return self.dtype
        return dtypes.complex128 if self.dtype == dtypes.float64 else dtypes.complex64

    def _spectrum_complex(self) -> Any:
        return cast(convert(self._spectrum), self._complex_dtype())

    def _flat(self) -> Any:
        """The eigenvalues of each matrix as a vector."""
        spectrum = convert(self._spectrum)
        if self._block_depth == 1:
            return spectrum
        return layout.reshape(spectrum, self._joined(layout.shape(spectrum)[: -self._block_depth], [-1]))

    @staticmethod
    def _joined(*shapes: Any) -> Any:
        return joining.concat([cast(s, dtypes.int32) for s in shapes], 0)

    def convolution_kernel(self, name: str = "convolution_kernel") -> Any:
        """The kernel of the convolution: the inverse Fourier transform of the spectrum, of the operator's dtype."""
        return cast(_IFFT[self._block_depth](self._spectrum_complex()), self.dtype)

    def _assert_non_singular(self) -> Any:
        return checks.assert_positive(
            math.abs_(self._spectrum), message=f"{self.name} is singular: its spectrum has a zero."
        )

    def _assert_positive_definite(self) -> Any:
        return checks.assert_positive(
            real(convert(self._spectrum)),
            message=f"{self.name} is not positive definite: its spectrum is not positive throughout.",
        )

    def _assert_self_adjoint(self) -> Any:
        part = imag(convert(self._spectrum))
        return checks.assert_near(
            part,
            create.zeros_like(part),
            message=f"{self.name} is not self-adjoint: its spectrum is not real.",
        )

    def assert_hermitian_spectrum(self, name: str = "assert_hermitian_spectrum") -> Any:
        """Raises InvalidArgumentError unless the spectrum is that of a real kernel: its mirror image is its conjugate."""
        spectrum = convert(self._spectrum)
        axes = list(range(-self._block_depth, 0))
        rank = len(dims_of(spectrum) or axes)
        mirrored = roll(reverse(spectrum, axes), [1] * len(axes), [rank + a for a in axes])
        gap = math.abs_(spectrum - conj(mirrored))
        eps = 1e-10 if spectrum.dtype in (dtypes.float64, dtypes.complex128) else 1e-4
        return checks.assert_less_equal(
            reduce.reduce_max(gap), eps * reduce.reduce_max(math.abs_(spectrum)),
            message=f"{self.name}: the spectrum is not Hermitian, so its kernel is not real.",
        )  # fmt: skip

    def _filtered(self, x: Any, factors: Any, adjoint_arg: bool) -> Any:
        """The columns of x, their Fourier transforms multiplied by `factors`."""
        depth = self._block_depth
        lines = conj(x) if adjoint_arg else linalg.matrix_transpose(x)
        blocks = layout.reshape(lines, self._joined(layout.shape(lines)[:-1], self.block_shape_tensor()))
        wide = factors[(..., None, *(slice(None),) * depth)]
        product = _IFFT[depth](wide * _FFT[depth](cast(blocks, self._complex_dtype())))
        shape = layout.shape(product)
        flat = layout.reshape(product, self._joined(shape[:-depth], [reduce.reduce_prod(shape[-depth:])]))
        result: Any = linalg.matrix_transpose(cast(flat, self.dtype))
        dims = dims_of(x)
        if dims is not None and not result.shape.is_fully_defined():
            batch = joint_batch([self.batch_shape, wrap(dims[:-2])])
            result.set_shape(batch.concatenate([self.range_dimension, dims[-2 if adjoint_arg else -1]]))
        return result

    def _matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        spectrum = self._spectrum_complex()
        return self._filtered(x, conj(spectrum) if adjoint else spectrum, adjoint_arg)

    def _solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Any:
        spectrum = self._spectrum_complex()
        return self._filtered(rhs, 1 / (conj(spectrum) if adjoint else spectrum), adjoint_arg)

    def _made(self, spectrum: Any, **hints: Any) -> Any:
        return type(self)(spectrum, input_output_dtype=self.dtype, **hints)

    def _linop_matmul(self, right: Any) -> Any:
        if type(right) is type(self):
            return self._made(
                self._spectrum * convert(right.spectrum), **product_hints(self, right, commute=True)
            )
        return super()._linop_matmul(right)

    def _linop_solve(self, right: Any) -> Any:
        if type(right) is type(self):
            return self._made(
                convert(right.spectrum) / self._spectrum, **product_hints(self, right, commute=True)
            )
        return super()._linop_solve(right)

    def _linop_adjoint(self) -> Any:
        return self._made(conj(convert(self._spectrum)), **hints_of(self))

    def _linop_inverse(self) -> Any:
        return self._made(1.0 / convert(self._spectrum), **hints_of(self))

    def _determinant(self) -> Any:
        return cast(reduce.reduce_prod(self._flat(), -1), self.dtype)

    def _log_abs_determinant(self) -> Any:
        return cast(reduce.reduce_sum(math.log(math.abs_(self._flat())), -1), self.dtype)

    def _trace(self) -> Any:
        return cast(reduce.reduce_sum(self._flat(), -1), self.dtype)

    def _diag_part(self) -> Any:
        flat = self._flat()
        mean = reduce.reduce_mean(flat, -1, keepdims=True)
        return cast(mean * create.ones_like(flat), self.dtype)

    def _eigvals(self) -> Any:
        return self._flat()

    def _cond(self) -> Any:
        sizes = math.abs_(self._flat())
        return reduce.reduce_max(sizes, -1) / reduce.reduce_min(sizes, -1)

    @property
    def _composite_tensor_fields(self) -> Any:
        return ("spectrum",)

    @property
    def _experimental_parameter_ndims_to_matrix_ndims(self) -> dict[str, Any]:
        return {"spectrum": self._block_depth}


_ARGUMENTS = """

    Args:
      spectrum: tensor or variable {shape}, the eigenvalues: the Fourier transform of the kernel.
      input_output_dtype: of the matrices; a real one takes the real part, for spectra of real kernels.
      is_non_singular: whether no eigenvalue is zero.
      is_self_adjoint: whether all are real; a real dtype of the spectrum allows True and None only.
      is_positive_definite: whether all have a positive real part.
      is_square: True or None.
      name: a name.

    Raises:
      ValueError: the rank is too low, or the hints contradict the dtype or each other.
"""


@export("linalg.LinearOperatorCirculant")
class LinearOperatorCirculant(CirculantOperator):
    __doc__ = "A square operator whose columns are the first one, turned in a circle." + _ARGUMENTS.format(
        shape="[..., n]"
    )


@export("linalg.LinearOperatorCirculant2D")
class LinearOperatorCirculant2D(CirculantOperator):
    __doc__ = "A convolution of images with periodic borders, as a square operator on their pixels." + (
        _ARGUMENTS.format(shape="[..., height, width]")
    )
    _block_depth = 2


@export("linalg.LinearOperatorCirculant3D")
class LinearOperatorCirculant3D(CirculantOperator):
    __doc__ = "A convolution of volumes with periodic borders, as a square operator on their voxels." + (
        _ARGUMENTS.format(shape="[..., depth, height, width]")
    )
    _block_depth = 3
