"""What the operations cost in the NumPy plan and in XLA programs, for the choice between the two.

Nanoseconds, rounded, as measured on two cores: they decide about factors, not about per cents. Operations that are not named
here are taken to be as quick as memory, which holds for arithmetic, comparisons and movements.
"""

from __future__ import annotations

import math
from typing import Any

from headwater._src.core.graph import Node
from headwater._src.engine.cost import Estimate, bytes_moved, elements, install, per_element
from headwater._src.ops.loop_nodes import static_rounds

# -- functions of one element -----------------------------------------------------------------------------------------

_PER_ELEMENT: dict[tuple[float, float], str] = {
    (0.3, 0.4): "Exp Log Tanh Log1p Expm1 Sqrt Rsqrt Reciprocal Elu EluGrad Selu SeluGrad",
    (0.4, 4.0): "Pow Sin Cos Tan Asin Acos Atan Atan2 Asinh Acosh Atanh Sinh Cosh",
    (2.5, 0.4): "Sigmoid Softplus Xlogy Xlog1py",
    (4.5, 0.4): "Erf Erfc Ndtri Erfinv",
    (
        2.0,
        1.0,
    ): "Softmax LogSoftmax LogSumExp SoftmaxCrossEntropyWithLogits SparseSoftmaxCrossEntropyWithLogits "
    "SigmoidCrossEntropyWithLogits MaxPool AvgPool MaxPoolGrad AvgPoolGrad MaxPool3D AvgPool3D",
    (14.0, 10.0): "Lgamma Digamma BesselI0 BesselI0e BesselI1 BesselI1e",
    (200.0, 150.0): "Igamma Igammac Betainc Zeta Polygamma",
    (
        10.0,
        4.0,
    ): "StatelessRandomUniform StatelessRandomUniformInt StatelessRandomUniformFullInt RandomUniform "
    "RandomUniformInt",
    (25.0, 8.0): "StatelessRandomNormal StatelessTruncatedNormal RandomStandardNormal TruncatedNormal",
    (
        1.6,
        0.7,
    ): "GatherV2 GatherNd TakeAlongAxis OneHot ScatterNd TensorScatterAdd TensorScatterUpdate GatherGrad "
    "UnsortedSegmentSum PutAlongAxis",
    (3.0, 6.5): "Cumsum Cumprod CumulativeLogsumexp",
    (3.0, 220.0): "Sort",
    (120.0, 370.0): "ArgSort TopKV2",
}
"""Plan and XLA for each element of the result -> operations."""

# -- products ---------------------------------------------------------------------------------------------------------

PLAN_FLOP_NS, XLA_FLOP_NS = 0.007, 0.005
"""XLA fuses what is around its products, and shares small ones out to the cores too."""
CONV_PLAN_FLOP_NS, CONV_XLA_FLOP_NS = 0.017, 0.015


def _contracted(node: Node) -> float:
    """Multiplications of a product of matrices: its result's elements times the dimension that is summed over."""
    x = node.inputs[0]
    shape = x._shape
    transposed = node.attrs.get("transpose_a") or node.attrs.get("adj_x")
    return elements(node.outputs[0]) * shape[-2 if transposed else -1]


def _product(node: Node) -> Estimate:
    flops = 2 * _contracted(node)
    return flops * PLAN_FLOP_NS, flops * XLA_FLOP_NS


def _einsum(node: Node) -> Estimate:
    """The product of all dimensions, each letter once."""
    terms = node.attrs["equation"].partition("->")[0].split(",")
    dims: dict[str, int] = {}
    for term, tensor in zip(terms, node.inputs, strict=True):
        dims.update(zip(term, tensor._shape, strict=True))
    flops = 2.0 * math.prod(dims.values())
    return flops * PLAN_FLOP_NS, flops * XLA_FLOP_NS


def _taps(filters: Any) -> float:
    """Multiplications for one position and channel of a result: the filter's elements without its last dimension."""
    return elements(filters) / max(filters._shape[-1], 1)


def _convolution(result: int, filters: int) -> Any:
    """The rule of a convolution; where among its tensors the result and the filter are."""

    def rule(node: Node) -> Estimate:
        tensors = [*node.inputs, *node.outputs]
        flops = 2 * elements(tensors[result]) * _taps(tensors[filters])
        return flops * CONV_PLAN_FLOP_NS, flops * CONV_XLA_FLOP_NS

    return rule


def _decomposition(node: Node) -> Estimate:
    """LAPACK in both; the cube of the side for each matrix."""
    x = node.inputs[0]
    work = elements(x) * max(x._shape[-2:]) * 5.0
    return work, work


def _transform(node: Node) -> Estimate:
    """The same Fourier transforms in both."""
    moved = bytes_moved(node)
    return moved * 1.0, moved * 1.0


install(
    {
        **{name: per_element(*ns) for ns, names in _PER_ELEMENT.items() for name in names.split()},
        **dict.fromkeys(("MatMul", "BatchMatMulV2"), _product),
        "Einsum": _einsum,
        **{f"Conv{n}D": _convolution(2, 1) for n in (2, 3)},
        "DepthwiseConv2dNative": _convolution(2, 1),
        "Conv2DBackpropInput": _convolution(1, 0),
        "Conv3DBackpropInputV2": _convolution(1, 0),
        "DepthwiseConv2dNativeBackpropInput": _convolution(1, 0),
        "Conv2DBackpropFilter": _convolution(1, 2),
        "Conv3DBackpropFilterV2": _convolution(1, 2),
        "DepthwiseConv2dNativeBackpropFilter": _convolution(1, 2),
        **dict.fromkeys(
            "Cholesky Qr Svd SvdValues Lu SelfAdjointEigV2 SelfAdjointEigenvalues MatrixInverse MatrixDeterminant MatrixSolve "
            "MatrixTriangularSolve LogMatrixDeterminant".split(),
            _decomposition,
        ),
        **dict.fromkeys(
            "FFT IFFT FFT2D IFFT2D FFT3D IFFT3D RFFT RFFT2D RFFT3D IRFFT IRFFT2D IRFFT3D".split(), _transform
        ),
    },
    {"While": static_rounds, "For": static_rounds},
)
