"""The public names of tf.data.experimental."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.data.dataset import AUTOTUNE as AUTOTUNE
from headwater._src.data.dataset import INFINITE_CARDINALITY as INFINITE_CARDINALITY
from headwater._src.data.dataset import UNKNOWN_CARDINALITY as UNKNOWN_CARDINALITY
from headwater._src.data.dataset import cardinality as cardinality
from headwater._src.data.dataset import get_next_as_optional as get_next_as_optional
from headwater._src.data.dataset import get_single_element as get_single_element
from headwater._src.data.dataset import get_structure as get_structure
from headwater._src.data.functions import enable_debug_mode as enable_debug_mode
from headwater._src.data.optional import Optional as Optional
from headwater._src.data.options import AutoShardPolicy as AutoShardPolicy
from headwater._src.data.options import AutotuneAlgorithm as AutotuneAlgorithm
from headwater._src.data.options import AutotuneOptions as AutotuneOptions
from headwater._src.data.options import DistributeOptions as DistributeOptions
from headwater._src.data.options import ExternalStatePolicy as ExternalStatePolicy
from headwater._src.data.options import OptimizationOptions as OptimizationOptions
from headwater._src.data.options import ServiceOptions as ServiceOptions
from headwater._src.data.options import ThreadingOptions as ThreadingOptions
