"""The public names of tf.dtypes.experimental."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.base.dtypes import float8_e4m3fn as float8_e4m3fn
from headwater._src.base.dtypes import float8_e5m2 as float8_e5m2
from headwater._src.base.dtypes import int4 as int4
from headwater._src.base.dtypes import uint4 as uint4
