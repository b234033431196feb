"""The public names of tf.test."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.trace.config import gpu_device_name as gpu_device_name
from headwater._src.trace.config import is_built_with_cuda as is_built_with_cuda
from headwater._src.trace.config import is_built_with_cuda as is_built_with_gpu_support
from headwater._src.trace.config import is_built_with_cuda as is_built_with_rocm
from headwater._src.trace.config import is_built_with_xla as is_built_with_xla
from headwater._src.trace.config import is_gpu_available as is_gpu_available
