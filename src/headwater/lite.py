"""The public names of tf.lite."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.io.absent import Interpreter as Interpreter
from headwater._src.io.absent import OpsSet as OpsSet
from headwater._src.io.absent import Optimize as Optimize
from headwater._src.io.absent import TFLiteConverter as TFLiteConverter
