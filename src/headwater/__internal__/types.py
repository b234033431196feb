"""The public names of tf.__internal__.types."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.core.tensor import TensorLike as Tensor
