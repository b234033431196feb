"""The public names of tf.compat."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.base.compat import as_bytes as as_bytes
from headwater._src.base.compat import as_str_any as as_str_any
from headwater._src.base.compat import as_text as as_str
from headwater._src.base.compat import as_text as as_text
from headwater._src.base.compat import path_to_str as path_to_str
from headwater.compat import v1 as v1
