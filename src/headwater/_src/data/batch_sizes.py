"""The batch size of a data set, as far as its plan tells: what a distribution divides among processes."""

from __future__ import annotations

from typing import Any

import numpy as np

from headwater._src.base import nest
from headwater._src.core.tensor import Tensor, of_array
from headwater._src.data import nodes
from headwater._src.data.dataset import DatasetV2

UNKNOWN = -1
_KEEP = frozenset(
    f"{name}Dataset"
    for name in (
        "_Filter", "_Prefetch", "_Take", "_Skip", "_Repeat", "_Shuffle", "Cache", "_Shard", "_Options", "_AssertCardinality",
    )
)  # fmt: skip
"""Nodes behind which batches are as large as before."""


def compute_batch_size(dataset: DatasetV2) -> Tensor:
    """The size of full batches as an int64 scalar, -1 where it can't be told.

    That is the common first dimension of the elements' specification, or else the size given to `batch` or `padded_batch`
    where nothing but filtering, repeating, shuffling and the like comes after it.
    """
    firsts = {(spec.shape[0] if spec.shape.rank else None) for spec in nest.flatten(dataset.element_spec)}
    size = firsts.pop() if len(firsts) == 1 else None
    return of_array(np.asarray(_walk(dataset._node) if size is None else size, np.int64))


def _walk(node: Any) -> int:
    if node.name in ("_BatchDataset", "_PaddedBatchDataset"):
        return int(node.size) if nodes.known(node.size) else UNKNOWN
    if node.name in _KEEP:
        return _walk(node.input)
    if node.name in ("_ConcatenateDataset", "_ZipDataset"):
        sizes = {_walk(source) for source in node.inputs}
        return sizes.pop() if len(sizes) == 1 else UNKNOWN
    return UNKNOWN
