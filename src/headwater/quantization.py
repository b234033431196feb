"""The public names of tf.quantization."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.ops.fake_quant import fake_quant_with_min_max_args as fake_quant_with_min_max_args
from headwater._src.ops.fake_quant import fake_quant_with_min_max_args_gradient as fake_quant_with_min_max_args_gradient
from headwater._src.ops.fake_quant import fake_quant_with_min_max_vars as fake_quant_with_min_max_vars
from headwater._src.ops.fake_quant import fake_quant_with_min_max_vars_gradient as fake_quant_with_min_max_vars_gradient
from headwater._src.ops.fake_quant import fake_quant_with_min_max_vars_per_channel as fake_quant_with_min_max_vars_per_channel
from headwater._src.ops.fake_quant import fake_quant_with_min_max_vars_per_channel_gradient as fake_quant_with_min_max_vars_per_channel_gradient
from headwater._src.ops.quantize import quantize_and_dequantize as quantize_and_dequantize
from headwater._src.ops.quantize import quantize_and_dequantize_v2 as quantize_and_dequantize_v2
