"""The public names of tf.__internal__.tracking."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.state.tracking import AutoTrackable as AutoTrackable
from headwater._src.state.tracking import Trackable as Trackable
from headwater._src.state.tracking import no_automatic_dependency_tracking as no_automatic_dependency_tracking
