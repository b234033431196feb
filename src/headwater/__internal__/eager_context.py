"""The public names of tf.__internal__.eager_context."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.trace.scopes import init_scope as eager_mode
