"""The public names of tf.experimental."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.core.ragged import RowPartition as RowPartition
from headwater._src.data.optional import Optional as Optional
from headwater._src.ops.ragged_shape import DynamicRaggedShape as DynamicRaggedShape
from headwater.experimental import dlpack as dlpack
from headwater.experimental import dtensor as dtensor
from headwater.experimental import numpy as numpy
