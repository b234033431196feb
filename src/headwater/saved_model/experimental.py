"""The public names of tf.saved_model.experimental."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.io.absent import TrackableResource as TrackableResource
