"""`Dataset.rejection_resample`, written in other transformations.

With target probabilities t and initial ones p, a share m = min(t / p) of the elements is taken as they come; the others are
accepted with probability (t / p - m) / (max(t / p) - m), which depends on their class.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from headwater._src.base.text import describe
from headwater._src.core.convert import convert
from headwater._src.ops import random
from headwater._src.ops.cast import cast
from headwater._src.ops.compare import equal, where
from headwater._src.ops.gather import gather
from headwater._src.ops.layout import broadcast_to, expand_dims
from headwater._src.ops.reduce import reduce_max, reduce_min, reduce_sum

_BATCH = 32
"""The estimate of the initial probabilities changes once in so many elements."""
_SMOOTHING = 10
"""How many elements of each class the estimate begins with."""


def resample(dataset: Any, class_of: Any, target: Any, initial: Any, seed: Any) -> Any:
    """See `Dataset.rejection_resample`."""
    wanted = convert(target)
    if not wanted.dtype.is_floating:
        raise TypeError(f"Dataset.rejection_resample: target_dist must be floats; got {describe(wanted)}.")
    make = type(dataset)
    classes = dataset.map(class_of)
    if initial is None:
        initials = _estimated(wanted, classes)
        both = initials.map(lambda p: _acceptance(p, wanted))
        accept, original = both.map(lambda a, m: a), both.map(lambda a, m: m)
    else:
        given = convert(initial)
        probabilities, share = _acceptance(given, wanted)
        accept = make.from_tensors(probabilities).repeat()
        original = make.from_tensors(share).repeat()
    filtered = (
        make.zip((accept, classes, dataset))
        .filter(lambda p, c, _: random.uniform([], seed=seed) < gather(p, c))
        .map(lambda p, c, element: (c, element))
    )
    weights = original.map(_pair)
    unchanged = make.zip((classes, dataset))
    return make.sample_from_datasets(
        [unchanged, filtered], weights=weights, seed=seed, stop_on_empty_dataset=True
    )


def _pair(share: Any) -> Any:
    return convert([share, 1.0 - share])


def _acceptance(initial: Any, target: Any) -> tuple[Any, Any]:
    """The probabilities to accept each class, and the share of elements that is taken as it comes."""
    tiny = convert(np.finfo(initial.dtype.np).tiny, initial.dtype)
    ratio = target / where(equal(initial, 0.0), tiny, initial)
    largest, smallest = reduce_max(ratio), reduce_min(ratio)
    return (ratio - smallest) / (largest - smallest), smallest


def _estimated(target: Any, classes: Any) -> Any:
    """For each element the share of each class among those before it, as far as it is known."""
    count = target.shape[0]
    seen = convert(np.full(count, _SMOOTHING, np.int64))

    def update(so_far: Any, found: Any) -> Any:
        numbers = convert(np.arange(count, dtype=np.int32))
        hits = cast(equal(expand_dims(cast(found, "int32"), 1), numbers), "int64")
        new = so_far + reduce_sum(hits, axis=0)
        share = cast(new / reduce_sum(new), "float32")
        return new, broadcast_to(share, [_BATCH, count])

    return classes.batch(_BATCH).scan(seen, update).unbatch()
