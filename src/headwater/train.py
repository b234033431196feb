"""The public names of tf.train."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.io.absent import Checkpoint as Checkpoint
from headwater._src.io.absent import CheckpointManager as CheckpointManager
from headwater._src.io.absent import CheckpointOptions as CheckpointOptions
from headwater._src.io.absent import TrackableView as TrackableView
from headwater._src.io.absent import latest_checkpoint as latest_checkpoint
from headwater._src.io.absent import list_variables as list_variables
from headwater._src.io.absent import load_checkpoint as load_checkpoint
from headwater._src.io.example import BytesList as BytesList
from headwater._src.io.example import Example as Example
from headwater._src.io.example import Feature as Feature
from headwater._src.io.example import FeatureList as FeatureList
from headwater._src.io.example import FeatureLists as FeatureLists
from headwater._src.io.example import Features as Features
from headwater._src.io.example import FloatList as FloatList
from headwater._src.io.example import Int64List as Int64List
from headwater._src.io.example import SequenceExample as SequenceExample
