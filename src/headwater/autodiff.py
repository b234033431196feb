"""Automatic differentiation."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.engine.forward import ForwardAccumulator as ForwardAccumulator
from headwater._src.engine.tape import GradientTape as GradientTape
