"""The public names of tf.data.experimental."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.data.options import AutoShardPolicy as AutoShardPolicy
from headwater._src.data.options import AutotuneAlgorithm as AutotuneAlgorithm
from headwater._src.data.options import AutotuneOptions as AutotuneOptions
from headwater._src.data.options import DistributeOptions as DistributeOptions
from headwater._src.data.options import ExternalStatePolicy as ExternalStatePolicy
from headwater._src.data.options import OptimizationOptions as OptimizationOptions
from headwater._src.data.options import ServiceOptions as ServiceOptions
from headwater._src.data.options import ThreadingOptions as ThreadingOptions
