"""Input pipelines."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.data.dataset import AUTOTUNE as AUTOTUNE
from headwater._src.data.dataset import DatasetSpec as DatasetSpec
from headwater._src.data.dataset import DatasetV2 as Dataset
from headwater._src.data.dataset import INFINITE_CARDINALITY as INFINITE_CARDINALITY
from headwater._src.data.dataset import UNKNOWN_CARDINALITY as UNKNOWN_CARDINALITY
from headwater._src.data.files import FixedLengthRecordDatasetV2 as FixedLengthRecordDataset
from headwater._src.data.files import TFRecordDatasetV2 as TFRecordDataset
from headwater._src.data.files import TextLineDatasetV2 as TextLineDataset
from headwater._src.data.iterator import IteratorBase as Iterator
from headwater._src.data.iterator import IteratorSpec as IteratorSpec
from headwater._src.data.iterator import NumpyIterator as NumpyIterator
from headwater._src.data.options import Options as Options
from headwater._src.data.options import ThreadingOptions as ThreadingOptions
from headwater.data import experimental as experimental
