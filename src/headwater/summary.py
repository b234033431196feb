"""The public names of tf.summary."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.io.absent import SummaryWriter as SummaryWriter
from headwater._src.io.absent import create_file_writer as create_file_writer
from headwater._src.io.absent import histogram as histogram
from headwater._src.io.absent import image as image
from headwater._src.io.absent import record_if as record_if
from headwater._src.io.absent import scalar as scalar
from headwater._src.io.absent import text as text
from headwater._src.io.absent import trace_export as trace_export
from headwater._src.io.absent import trace_on as trace_on
