"""The public names of tf.train."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.io.absent import Checkpoint as Checkpoint
from headwater._src.io.absent import CheckpointManager as CheckpointManager
from headwater._src.io.absent import CheckpointOptions as CheckpointOptions
from headwater._src.io.absent import TrackableView as TrackableView
from headwater._src.io.absent import latest_checkpoint as latest_checkpoint
from headwater._src.io.absent import list_variables as list_variables
from headwater._src.io.absent import load_checkpoint as load_checkpoint
