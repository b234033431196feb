"""Input pipelines."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.data.options import Options as Options
from headwater._src.data.options import ThreadingOptions as ThreadingOptions
from headwater.data import experimental as experimental
