"""TensorFlow's exception classes, and the one place where messages get their form.

Exception
└── OpError
    ├── CancelledError            1      ├── PermissionDeniedError     7
    ├── UnknownError              2      ├── ResourceExhaustedError    8
    ├── InvalidArgumentError      3      ├── FailedPreconditionError   9
    ├── DeadlineExceededError     4      ├── AbortedError             10
    ├── NotFoundError             5      ├── OutOfRangeError          11
    ├── AlreadyExistsError        6      ├── UnimplementedError       12
    ├── UnauthenticatedError     16      ├── InternalError            13
    └── DataLossError            15      └── UnavailableError         14
OperatorNotAllowedInGraphError(TypeError), InaccessibleTensorError(ValueError)
"""

from __future__ import annotations

from typing import Any

from headwater._src.base.exporting import export

OK = 0
CANCELLED = 1
UNKNOWN = 2
INVALID_ARGUMENT = 3
DEADLINE_EXCEEDED = 4
NOT_FOUND = 5
ALREADY_EXISTS = 6
PERMISSION_DENIED = 7
RESOURCE_EXHAUSTED = 8
FAILED_PRECONDITION = 9
ABORTED = 10
OUT_OF_RANGE = 11
UNIMPLEMENTED = 12
INTERNAL = 13
UNAVAILABLE = 14
DATA_LOSS = 15
UNAUTHENTICATED = 16

for _code in (
    "OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED "
    "RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS "
    "UNAUTHENTICATED"
).split():
    export(f"errors.{_code}").value(_code, __name__)


@export("errors.OpError")
class OpError(Exception):
    """Base of the errors that operations raise.

    Args:
      node_def: the node that failed, or None when the operation ran eagerly.
      op: the graph operation that failed, or None.
      message: what was expected, what came, and how to mend it.
      error_code: one of the integer codes of `tf.errors`.
    """

    code = UNKNOWN

    def __init__(
        self, node_def: Any, op: Any, message: str, error_code: int | None = None, *args: Any
    ) -> None:
        super().__init__(message)
        self._node_def = node_def
        self._op = op
        self._message = message
        self._error_code = self.code if error_code is None else error_code

    @property
    def message(self) -> str:
        """The error's text."""
        return self._message

    @property
    def op(self) -> Any:
        """The graph operation that failed; None for eager calls."""
        return self._op

    @property
    def node_def(self) -> Any:
        """The definition of the node that failed; None for eager calls."""
        return self._node_def

    @property
    def error_code(self) -> int:
        """TensorFlow's integer code of this class of error."""
        return self._error_code

    @property
    def experimental_payloads(self) -> dict[str, Any]:
        """Extra data of a distributed runtime; always empty here."""
        return {}

    def __str__(self) -> str:
        return self._message

    def __reduce__(self) -> Any:
        return type(self), (None, None, self._message)


class _Coded(OpError):
    def __init__(self, node_def: Any, op: Any, message: str, *args: Any) -> None:
        super().__init__(node_def, op, message, self.code)


@export("errors.CancelledError")
class CancelledError(_Coded):
    """An operation was cancelled, for example a queue's waiters when it closes."""

    code = CANCELLED


@export("errors.UnknownError")
class UnknownError(_Coded):
    """An error that fits no other class."""

    code = UNKNOWN


@export("errors.InvalidArgumentError")
class InvalidArgumentError(_Coded):
    """An operation received an argument of a wrong dtype, shape or value."""

    code = INVALID_ARGUMENT


@export("errors.DeadlineExceededError")
class DeadlineExceededError(_Coded):
    """A time limit ran out."""

    code = DEADLINE_EXCEEDED


@export("errors.NotFoundError")
class NotFoundError(_Coded):
    """A file, key or resource does not exist."""

    code = NOT_FOUND


@export("errors.AlreadyExistsError")
class AlreadyExistsError(_Coded):
    """Something that was to be made exists already."""

    code = ALREADY_EXISTS


@export("errors.PermissionDeniedError")
class PermissionDeniedError(_Coded):
    """The caller may not do this, for example write to a read-only file."""

    code = PERMISSION_DENIED


@export("errors.UnauthenticatedError")
class UnauthenticatedError(_Coded):
    """The caller is not identified."""

    code = UNAUTHENTICATED


@export("errors.ResourceExhaustedError")
class ResourceExhaustedError(_Coded):
    """Memory or another resource does not suffice."""

    code = RESOURCE_EXHAUSTED


@export("errors.FailedPreconditionError")
class FailedPreconditionError(_Coded):
    """The system is not in the state that the operation needs."""

    code = FAILED_PRECONDITION


@export("errors.AbortedError")
class AbortedError(_Coded):
    """An operation was aborted, usually by a conflict with another."""

    code = ABORTED


@export("errors.OutOfRangeError")
class OutOfRangeError(_Coded):
    """An iteration went past its end."""

    code = OUT_OF_RANGE


@export("errors.UnimplementedError")
class UnimplementedError(_Coded):
    """The operation does not exist for these dtypes or this device."""

    code = UNIMPLEMENTED


@export("errors.InternalError")
class InternalError(_Coded):
    """An invariant of the library broke."""

    code = INTERNAL


@export("errors.UnavailableError")
class UnavailableError(_Coded):
    """A service can't be reached now."""

    code = UNAVAILABLE


@export("errors.DataLossError")
class DataLossError(_Coded):
    """A file is truncated or corrupt."""

    code = DATA_LOSS


@export("errors.OperatorNotAllowedInGraphError")
class OperatorNotAllowedInGraphError(TypeError):
    """A symbolic tensor was used where Python needs a value (`if`, `for`, `int`)."""


class InaccessibleTensorError(ValueError):
    """A tensor of one graph was used where it does not exist."""


class TracedArgumentError(InvalidArgumentError, ValueError):
    """A call that can't be right, found while a graph was being built: TensorFlow raises ValueError there."""


class TracedTypeError(InvalidArgumentError, TypeError):
    """Arguments of the wrong dtypes, found while a graph was being built: TensorFlow raises TypeError there."""


class UnrelatedTensorError(InaccessibleTensorError, TypeError):
    """A tensor of another function's graph, which TensorFlow calls a TypeError."""


def invalid(message: str) -> InvalidArgumentError:
    """An InvalidArgumentError of an eager call."""
    return InvalidArgumentError(None, None, message)


def unimplemented(message: str) -> UnimplementedError:
    """An UnimplementedError of an eager call."""
    return UnimplementedError(None, None, message)
