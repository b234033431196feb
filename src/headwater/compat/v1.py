"""The public names of tf.compat.v1."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.bridge.internal import Dimension as Dimension
from headwater._src.bridge.internal import disable_eager_execution as disable_eager_execution
from headwater._src.bridge.internal import disable_eager_execution as disable_v2_behavior
from headwater._src.bridge.internal import enable_eager_execution as enable_eager_execution
from headwater._src.bridge.internal import enable_eager_execution as enable_v2_behavior
from headwater._src.bridge.internal import executing_eagerly_outside_functions as executing_eagerly_outside_functions
from headwater._src.bridge.internal import placeholder as placeholder
from headwater._src.bridge.internal import reset_default_graph as reset_default_graph
from headwater._src.bridge.internal import sparse_placeholder as sparse_placeholder
from headwater._src.core.composite import SparseTensorValue as SparseTensorValue
