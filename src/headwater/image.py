"""The public names of tf.image."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.ops.image_boxes import non_max_suppression as non_max_suppression
from headwater._src.ops.image_boxes import non_max_suppression_with_scores as non_max_suppression_with_scores
from headwater._src.ops.image_codec import decode_bmp as decode_bmp
from headwater._src.ops.image_codec import decode_gif_op as decode_gif
from headwater._src.ops.image_codec import decode_image as decode_image
from headwater._src.ops.image_codec import decode_jpeg as decode_jpeg
from headwater._src.ops.image_codec import decode_png as decode_png
from headwater._src.ops.image_codec import encode_jpeg as encode_jpeg
from headwater._src.ops.image_codec import encode_png as encode_png
from headwater._src.ops.image_colour import adjust_brightness as adjust_brightness
from headwater._src.ops.image_colour import adjust_contrast as adjust_contrast
from headwater._src.ops.image_colour import adjust_gamma as adjust_gamma
from headwater._src.ops.image_colour import adjust_hue as adjust_hue
from headwater._src.ops.image_colour import adjust_saturation as adjust_saturation
from headwater._src.ops.image_colour import convert_image_dtype as convert_image_dtype
from headwater._src.ops.image_colour import grayscale_to_rgb as grayscale_to_rgb
from headwater._src.ops.image_colour import hsv_to_rgb as hsv_to_rgb
from headwater._src.ops.image_colour import per_image_standardization as per_image_standardization
from headwater._src.ops.image_colour import rgb_to_grayscale as rgb_to_grayscale
from headwater._src.ops.image_colour import rgb_to_hsv as rgb_to_hsv
from headwater._src.ops.image_colour import rgb_to_yiq as rgb_to_yiq
from headwater._src.ops.image_colour import rgb_to_yuv as rgb_to_yuv
from headwater._src.ops.image_colour import yiq_to_rgb as yiq_to_rgb
from headwater._src.ops.image_colour import yuv_to_rgb as yuv_to_rgb
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
from headwater._src.ops.image_metrics import image_gradients as image_gradients
from headwater._src.ops.image_metrics import psnr as psnr
from headwater._src.ops.image_metrics import sobel_edges as sobel_edges
from headwater._src.ops.image_metrics import ssim as ssim
from headwater._src.ops.image_metrics import ssim_multiscale as ssim_multiscale
from headwater._src.ops.image_metrics import total_variation as total_variation
from headwater._src.ops.image_random import random_brightness as random_brightness
from headwater._src.ops.image_random import random_contrast as random_contrast
from headwater._src.ops.image_random import random_crop as random_crop
from headwater._src.ops.image_random import random_flip_left_right as random_flip_left_right
from headwater._src.ops.image_random import random_flip_up_down as random_flip_up_down
from headwater._src.ops.image_random import random_hue as random_hue
from headwater._src.ops.image_random import random_saturation as random_saturation
from headwater._src.ops.image_random import stateless_random_brightness as stateless_random_brightness
from headwater._src.ops.image_random import stateless_random_contrast as stateless_random_contrast
from headwater._src.ops.image_random import stateless_random_crop as stateless_random_crop
from headwater._src.ops.image_random import (
    stateless_random_flip_left_right as stateless_random_flip_left_right,
)
from headwater._src.ops.image_random import stateless_random_flip_up_down as stateless_random_flip_up_down
from headwater._src.ops.image_random import stateless_random_hue as stateless_random_hue
from headwater._src.ops.image_random import stateless_random_saturation as stateless_random_saturation
from headwater._src.ops.image_resize import ResizeMethod as ResizeMethod
from headwater._src.ops.image_resize import resize as resize
