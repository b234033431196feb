"""The public names of tf.lookup."""

# Written by `make api`; edit the declarations in headwater/_src and run it again.

from headwater._src.state.lookup import StaticHashTable as StaticHashTable
from headwater._src.state.lookup import StaticVocabularyTable as StaticVocabularyTable
from headwater._src.state.lookup_files import KeyValueTensorInitializer as KeyValueTensorInitializer
from headwater._src.state.lookup_files import TextFileIndex as TextFileIndex
from headwater._src.state.lookup_files import TextFileInitializer as TextFileInitializer
from headwater.lookup import experimental as experimental
