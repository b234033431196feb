"""The public names of tf.config.experimental."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.trace.config import LogicalDeviceConfiguration as VirtualDeviceConfiguration
from headwater._src.trace.config import enable_op_determinism as enable_op_determinism
from headwater._src.trace.config import enable_tensor_float_32_execution as enable_tensor_float_32_execution
from headwater._src.trace.config import get_device_details as get_device_details
from headwater._src.trace.config import get_eager_programs as get_eager_programs
from headwater._src.trace.config import get_epochs_at_once as get_epochs_at_once
from headwater._src.trace.config import get_logical_device_configuration as get_virtual_device_configuration
from headwater._src.trace.config import get_memory_growth as get_memory_growth
from headwater._src.trace.config import get_synchronous_execution as get_synchronous_execution
from headwater._src.trace.config import get_visible_devices as get_visible_devices
from headwater._src.trace.config import list_logical_devices as list_logical_devices
from headwater._src.trace.config import list_physical_devices as list_physical_devices
from headwater._src.trace.config import set_eager_programs as set_eager_programs
from headwater._src.trace.config import set_epochs_at_once as set_epochs_at_once
from headwater._src.trace.config import set_memory_growth as set_memory_growth
from headwater._src.trace.config import set_synchronous_execution as set_synchronous_execution
from headwater._src.trace.config import set_visible_devices as set_visible_devices
from headwater._src.trace.config import tensor_float_32_execution_enabled as tensor_float_32_execution_enabled
