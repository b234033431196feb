"""The public names of tf.types.experimental."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.trace.concrete import ConcreteFunction as ConcreteFunction
from headwater._src.trace.function import GenericFunction as GenericFunction
from headwater._src.trace.function import PolymorphicFunction as PolymorphicFunction
from headwater._src.trace.protocol import AtomicFunction as AtomicFunction
from headwater._src.trace.protocol import FunctionType as FunctionType
from headwater._src.trace.protocol import SupportsTracingProtocol as SupportsTracingProtocol
from headwater._src.trace.protocol import TensorCallable as Callable
from headwater._src.trace.protocol import TensorLike as TensorLike
from headwater._src.trace.protocol import TraceType as TraceType
from headwater.types.experimental import distributed as distributed
