"""The public names of tf.saved_model."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.io.absent import Asset as Asset
from headwater._src.io.absent import LoadOptions as LoadOptions
from headwater._src.io.absent import SaveOptions as SaveOptions
from headwater._src.io.absent import contains_saved_model as contains_saved_model
from headwater._src.io.absent import load as load
from headwater._src.io.absent import save as save
from headwater.saved_model import experimental as experimental
