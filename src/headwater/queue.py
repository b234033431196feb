"""The public names of tf.queue."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.state.queues import FIFOQueue as FIFOQueue
from headwater._src.state.queues import PaddingFIFOQueue as PaddingFIFOQueue
from headwater._src.state.queues import PriorityQueue as PriorityQueue
from headwater._src.state.queues import QueueBase as QueueBase
from headwater._src.state.queues import RandomShuffleQueue as RandomShuffleQueue
