"""Devices and switches."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.trace.config import LogicalDevice as LogicalDevice
from headwater._src.trace.config import LogicalDeviceConfiguration as LogicalDeviceConfiguration
from headwater._src.trace.config import PhysicalDevice as PhysicalDevice
from headwater._src.trace.config import functions_run_eagerly as experimental_functions_run_eagerly
from headwater._src.trace.config import functions_run_eagerly as functions_run_eagerly
from headwater._src.trace.config import get_logical_device_configuration as get_logical_device_configuration
from headwater._src.trace.config import get_soft_device_placement as get_soft_device_placement
from headwater._src.trace.config import get_visible_devices as get_visible_devices
from headwater._src.trace.config import list_logical_devices as list_logical_devices
from headwater._src.trace.config import list_physical_devices as list_physical_devices
from headwater._src.trace.config import run_functions_eagerly as experimental_run_functions_eagerly
from headwater._src.trace.config import run_functions_eagerly as run_functions_eagerly
from headwater._src.trace.config import set_soft_device_placement as set_soft_device_placement
from headwater._src.trace.config import set_visible_devices as set_visible_devices
from headwater.config import experimental as experimental
from headwater.config import optimizer as optimizer
from headwater.config import threading as threading
