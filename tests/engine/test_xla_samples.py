"""The operations' samples as whole XLA programs: traced with unknown dimensions, compiled for the shapes that come, and equal to
eager execution. The harness holds single lowerings; here shapes must fold and nodes fit together."""

from __future__ import annotations

from collections.abc import Iterator

import harness
import numpy as np
import pytest

from headwater._src.base.errors import InvalidArgumentError
from headwater._src.core.op import HOST_ONLY
from headwater._src.engine import resident
from headwater._src.engine.closed import close
from headwater._src.engine.executable import executable_of
from headwater._src.engine.lower import has_effects

pytest.importorskip("jax")


EAGER = frozenset(("constant/array-cast",))
"""Samples whose arguments mean another thing as tensors: tf.constant casts arrays only."""


def _third() -> Iterator[harness.Sample]:
    """The first good sample of each owner, and a third of the others."""
    seen: set[str] = set()
    good = (s for s in harness.SAMPLES if s.case.error is None and s.key not in EAGER)
    for i, sample in enumerate(good):
        if sample.owner not in seen or i % 4 == 0:
            seen.add(sample.owner)
            yield sample


def _traced(sample: harness.Sample, slots: harness.Slots) -> harness.Trace:
    try:
        return harness.Trace(sample.function(), slots, "partial")
    except Exception:  # some functions need static shapes
        return harness.Trace(sample.function(), slots, "full")


def _may_be_refused(graph: harness.FuncGraph) -> bool:
    """Whether there is an operation for the host alone in the graph, or a string."""
    return any(
        isinstance(getattr(node.record, "lower", None), HOST_ONLY)
        or any(t._np_dtype.kind == "O" or t._np_dtype.names for t in node.outputs)
        for node in graph.nodes
    )


@pytest.mark.parametrize("sample", list(_third()), ids=lambda s: s.key)
def test_program_equals_eager(sample):
    slots = harness.Slots(sample.case)
    trace = _traced(sample, slots)
    graph = trace.graph
    if any(has_effects(node) for node in graph.nodes):
        pytest.skip("has effects, which one call more would repeat")
    outputs = [t for t in trace.outputs if hasattr(t, "_np_dtype")]
    close(graph, outputs)
    args, kwargs = slots.build(harness.handed(slots))
    want = [t for t in harness.flat(sample.function()(*args, **kwargs)) if hasattr(t, "_np_dtype")]
    assert len(outputs) == len(want)
    arrays = [*slots.arrays, *[t._array for t in graph.captured]]
    try:
        got = resident.run(executable_of(graph), arrays, graph.read_handles, graph.written_handles)
    except InvalidArgumentError as error:
        assert "can't be part of an XLA program: " in str(error)
        assert _may_be_refused(graph)
        pytest.skip(str(error).partition("\n")[0])
    # Streams of random numbers go on from call to call: only shapes and dtypes are the same.
    tol = np.inf if graph.read_handles else max(sample.case.tol, 1e-5)
    for a, b in zip(got, want, strict=True):
        assert harness.difference(a, b._array, tol) is None
