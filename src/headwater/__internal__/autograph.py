"""The public names of tf.__internal__.autograph."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.trace.autograph.convert import tf_convert as tf_convert
from headwater._src.trace.autograph.status import control_status_ctx as control_status_ctx
