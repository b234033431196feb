"""The public names of tf.audio."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.ops.audio import decode_wav as decode_wav
from headwater._src.ops.audio import encode_wav as encode_wav
