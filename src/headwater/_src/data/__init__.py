"""`tf.data`: a data set is an expression, a tree of nodes, and iterating it runs the tree."""

from headwater._src.data import dataset, experimental, files, iterator, optional, options

__all__ = ["dataset", "experimental", "files", "iterator", "optional", "options"]
