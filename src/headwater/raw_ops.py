"""The public names of tf.raw_ops."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.ops.image_transform import image_projective_transform_v3 as ImageProjectiveTransformV3
from headwater._src.ops.raw import bucketize as Bucketize
from headwater._src.ops.raw import unique_v2 as UniqueV2
from headwater._src.ops.raw import unique_with_counts_v2 as UniqueWithCountsV2
