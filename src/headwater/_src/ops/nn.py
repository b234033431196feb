"""Activations, softmax, bias, normalisation and dropout."""

from __future__ import annotations

from typing import Any

import numpy as np

import headwater._src.ops.math as math
from headwater._src.base.exporting import export
from headwater._src.base.lazy import jnp
from headwater._src.core.op import op
from headwater._src.core.samples import ALL_FLOATS, FLOATS, Arr, bad, case, each, unary

# -- piecewise linear -------------------------------------------------------------------------------------------------

_relu_grad = op(
    "ReluGrad", "g: R, y: g -> g",
    numpy=lambda g, y: g * (y > 0),
    lower=lambda g, y: g * (y > 0),
    grad=(lambda gg, z, g, y: _relu_grad(gg, y), None),
    doc="The gradient of relu, given that of its result and the result itself.",
)  # fmt: skip

relu = op(
    "Relu", "features: R -> features",
    numpy=lambda x: np.maximum(x, 0),
    lower=lambda x: jnp.maximum(x, 0),
    grad=lambda g, y, x: _relu_grad(g, y),
    api=("nn.relu",),
    cases=unary((*ALL_FLOATS, "int32", "uint8")),
    doc="Elementwise `max(x, 0)`; NaN stays NaN.",
)  # fmt: skip
