"""The public names of tf.__internal__.distribute."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater.__internal__.distribute import interim as interim
from headwater._src.distribute.strategy import strategy_supports_no_merge_call as strategy_supports_no_merge_call
