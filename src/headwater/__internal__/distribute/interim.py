"""The public names of tf.__internal__.distribute.interim."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.distribute.strategy import maybe_merge_call as maybe_merge_call
