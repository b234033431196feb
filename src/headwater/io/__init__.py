"""Files and serialised values."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.io.gfile import matching_files as matching_files
from headwater._src.io.gfile import read_file as read_file
from headwater._src.io.gfile import write_file as write_file
from headwater._src.io.records import TFRecordOptions as TFRecordOptions
from headwater._src.io.records import TFRecordWriter as TFRecordWriter
from headwater._src.ops.image_codec import decode_bmp as decode_bmp
from headwater._src.ops.image_codec import decode_image as decode_image
from headwater._src.ops.image_codec import decode_jpeg as decode_jpeg
from headwater._src.ops.image_codec import encode_jpeg as encode_jpeg
from headwater._src.ops.image_codec import encode_png as encode_png
from headwater._src.ops.image_files import decode_and_crop_jpeg as decode_and_crop_jpeg
from headwater._src.ops.image_files import decode_webp as decode_webp
from headwater._src.ops.image_files import extract_jpeg_shape as extract_jpeg_shape
from headwater._src.ops.image_files import is_jpeg as is_jpeg
from headwater.io import gfile as gfile
