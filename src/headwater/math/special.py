"""The public names of tf.math.special."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.ops.special import bessel_i0 as bessel_i0
from headwater._src.ops.special import bessel_i0e as bessel_i0e
from headwater._src.ops.special import bessel_i1 as bessel_i1
from headwater._src.ops.special import bessel_i1e as bessel_i1e
