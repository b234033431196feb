"""The public names of tf.image."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.ops.image_geometry import central_crop as central_crop
from headwater._src.ops.image_geometry import crop_and_resize as crop_and_resize
from headwater._src.ops.image_geometry import crop_to_bounding_box as crop_to_bounding_box
from headwater._src.ops.image_geometry import extract_patches as extract_patches
from headwater._src.ops.image_geometry import flip_left_right as flip_left_right
from headwater._src.ops.image_geometry import flip_up_down as flip_up_down
from headwater._src.ops.image_geometry import pad_to_bounding_box as pad_to_bounding_box
from headwater._src.ops.image_geometry import resize_with_crop_or_pad as resize_with_crop_or_pad
from headwater._src.ops.image_geometry import resize_with_pad as resize_with_pad
from headwater._src.ops.image_geometry import rot90 as rot90
from headwater._src.ops.image_geometry import transpose as transpose
from headwater._src.ops.image_resize import ResizeMethod as ResizeMethod
from headwater._src.ops.image_resize import resize as resize
