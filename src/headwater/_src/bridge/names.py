"""Operations of families that are still to come, which Keras names while it loads or in branches that other data take."""

from __future__ import annotations

from headwater._src.base.absent import absent_function

_SPARSE = "Sparse tensors have no operations yet; make them dense."

# keras/src/backend/tensorflow/numpy.py hands these to decorators when it is imported.
add = absent_function("sparse.add", __name__, _SPARSE)
maximum = absent_function("sparse.maximum", __name__, _SPARSE)
minimum = absent_function("sparse.minimum", __name__, _SPARSE)
