"""Files and serialised values."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.io.gfile import matching_files as matching_files
from headwater._src.io.gfile import read_file as read_file
from headwater._src.io.gfile import write_file as write_file
from headwater.io import gfile as gfile
