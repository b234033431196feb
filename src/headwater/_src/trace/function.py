"""`tf.function`: a Python function that is traced once for each kind of arguments and runs as a graph from then on."""

from __future__ import annotations

import functools
import inspect
import threading
import types
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from headwater._src.base import flags
from headwater._src.base.absent import absent_function
from headwater._src.base.exporting import export
from headwater._src.base.frames import Line, user_line
from headwater._src.base.text import describe
from headwater._src.core.context import ctx
from headwater._src.core.convert import convert
from headwater._src.core.spec import TensorSpec, TypeSpec
from headwater._src.core.tensor import EagerTensor, Tensor
from headwater._src.trace import report
from headwater._src.trace.concrete import KEYWORD_ONLY, POSITIONAL_ONLY, ConcreteFunction, Parameter, in_input_order, trace
from headwater._src.trace.signature import (
    Literal,
    TracingContext,
    from_spec,
    from_value,
    is_general,
    objects_of,
    parts_of,
)

_SCALARS = frozenset((int, bool, str, bytes, type(None)))
_switches = flags._values
_ANY = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_active = threading.local()
"""What this thread is tracing: (function, key) pairs, to notice a function that calls itself for ever."""


@export("types.experimental.Callable")
class Callable_(abc_base := object):  # noqa: N801 - replaced below
    """Base of what can be called with tensors."""




class GenericFunction:  # placeholder until this file is complete
    pass


PolymorphicFunction = GenericFunction


def function(func=None, **k):
    return func
