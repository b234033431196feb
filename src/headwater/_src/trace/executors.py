"""Switches of TensorFlow's executors and of its old names: programs may use them; here a call has run when it returns."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator

from headwater._src.base.absent import absent_class, absent_function
from headwater._src.base.exporting import export


@export("experimental.async_scope")
@contextlib.contextmanager
def async_scope() -> Iterator[None]:
    """A `with` block in which operations may run later; here all have run when they return, and errors come at once."""
    yield


@export("experimental.async_clear_error")
def async_clear_error() -> None:
    """Forgets the errors of operations that run later; there are none."""


@export("experimental.function_executor_type")
@contextlib.contextmanager
def function_executor_type(executor_type: str | None) -> Iterator[None]:
    """A `with` block with another executor of functions; accepted for compatibility, as the graph decides (see `tf.function`)."""
    yield


@export("experimental.enable_strict_mode")
def enable_strict_mode() -> None:
    """Makes warnings of deprecated names errors, for the rest of the program."""
    warnings.filterwarnings("error", category=DeprecationWarning, module=r"headwater\b")


StructuredTensor = absent_class(
    "experimental.StructuredTensor",
    __name__,
    "Use a tf.experimental.ExtensionType with fields that are tensors or ragged tensors.",
)
register_filesystem_plugin = absent_function(
    "experimental.register_filesystem_plugin",
    __name__,
    "Files are read through Python; open others there and pass their bytes.",
)
