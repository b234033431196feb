"""Files and serialised values."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.io.gfile import matching_files as matching_files
from headwater._src.io.gfile import read_file as read_file
from headwater._src.io.gfile import write_file as write_file
from headwater._src.ops.image_codec import decode_bmp as decode_bmp
from headwater._src.ops.image_codec import decode_image as decode_image
from headwater._src.ops.image_codec import decode_jpeg as decode_jpeg
from headwater._src.ops.image_codec import encode_jpeg as encode_jpeg
from headwater._src.ops.image_codec import encode_png as encode_png
from headwater.io import gfile as gfile
