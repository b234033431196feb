"""Every sample of the harness as a plan: the bits are those of the kernels called one after another, and of eager code."""

from __future__ import annotations

from typing import Any

import harness
import numpy as np
import pytest

from headwater._src.core.op import REGISTRY, Op
from headwater._src.core.tensor import of_array
from headwater._src.engine.closed import close
from headwater._src.engine.plan import plan_of
from headwater._src.engine.traits import traits_of
from headwater._src.ops.traits import _FRESH

OWNERS: dict[str, list[harness.Sample]] = {}
for _sample in harness.SAMPLES:
    if _sample.case.error is None:
        OWNERS.setdefault(_sample.owner, []).append(_sample)


def traced(
    sample: harness.Sample, shapes: str, gradient: bool = False
) -> tuple[Any, list[np.ndarray]] | None:
    """The sample's call as a closed graph, with its inputs' arrays; None where it needs arrays or known shapes."""
    slots = harness.Slots(sample.case)
    if not slots.arrays:
        return None
    try:
        trace = harness.Trace(sample.function(), slots, shapes, gradient)
    except Exception:  # the harness reports what can't be traced
        return None
    if any(getattr(n.record, "stateful", False) for n in trace.graph.nodes):
        return None
    outputs = [t for t in trace.outputs if t is not None]
    close(trace.graph, outputs)
    if trace.graph.read_handles:  # random numbers: each call gives others
        return None
    trace.outputs = outputs
    return trace, [*slots.arrays, *(outer._array for outer in trace.graph.captured)]


def same_bits(got: np.ndarray, want: np.ndarray) -> bool:
    """Equal in dtype, shape and bits; a NaN is as good as another."""
    if type(got) is not np.ndarray or got.dtype != want.dtype or got.shape != want.shape:
        return False
    if got.dtype.kind == "O" or got.tobytes() == want.tobytes():
        return got.dtype.kind != "O" or bool(np.all(got == want))
    parts = [(got.real, want.real), (got.imag, want.imag)] if got.dtype.kind == "c" else [(got, want)]
    for a, b in parts:
        numbers = ~((a != a) & (b != b))
        if np.ascontiguousarray(a[numbers]).tobytes() != np.ascontiguousarray(b[numbers]).tobytes():
            return False
    return True


def seeds_of(trace: Any) -> list[np.ndarray] | None:
    """Output gradients for a traced gradient; None where their shapes are not known."""
    if any(s._shape is None or None in s._shape for s in trace.seeds):
        return None
    return [np.array(harness.Arr(s._shape, s.dtype.name, 0.5, 1.5).draw()) for s in trace.seeds]


def _strides(array: np.ndarray) -> list[int]:
    return [s for s, d in zip(array.strides, array.shape, strict=True) if d > 1]


def eager(sample: harness.Sample) -> list[np.ndarray] | None:
    """What the call gives outside of graphs, on tensors; None where it takes other arguments only."""
    slots = harness.Slots(sample.case)
    args, kwargs = slots.build([of_array(a) for a in slots.arrays])
    try:
        return [t._array for t in harness.flat(sample.function()(*args, **kwargs))]
    except Exception:
        return None


@pytest.mark.parametrize("owner", sorted(OWNERS))
def test_the_plan_gives_the_bits_of_the_kernels(owner: str) -> None:
    for sample in OWNERS[owner]:
        for shapes in ("full", "unknown"):
            found = traced(sample, shapes)
            if found is None:
                continue
            trace, arrays = found
            want = trace.evaluate()
            kept = [a.copy() for a in arrays]
            got = plan_of(trace.graph)(arrays)
            for i, (g, w) in enumerate(zip(got, want, strict=True)):
                assert same_bits(g, w), f"{sample.key}, shapes {shapes}, result {i}: {g!r} instead of {w!r}"
            for array, before in zip(arrays, kept, strict=True):
                assert same_bits(array, before), f"{sample.key}: the plan wrote to an argument"
            if shapes == "full":
                want = eager(sample)
                for g, w in zip(got, want or got, strict=True):
                    assert same_bits(g, w), f"{sample.key}: {g!r}, and eagerly {w!r}"


@pytest.mark.parametrize("owner", sorted(o for o in OWNERS if any(s.case.grad for s in OWNERS[o])))
def test_the_plan_of_a_gradient_gives_the_bits_of_the_kernels(owner: str) -> None:
    for sample in [s for s in OWNERS[owner] if s.case.grad][:3]:
        found = traced(sample, "full", gradient=True)
        if found is None:
            continue
        trace, arrays = found
        seeds = seeds_of(trace)
        if seeds is None:
            continue
        want = trace.evaluate(seeds)
        count = len(trace.slots.arrays)
        got = plan_of(trace.graph)([*arrays[:count], *seeds, *arrays[count:]])
        for i, (g, w) in enumerate(zip(got, want, strict=True)):
            assert same_bits(g, w), f"{sample.key}, gradient {i}: {g!r} instead of {w!r}"


def test_kernels_said_to_give_new_arrays_do() -> None:
    """Looks at every call of a record with that trait for a result that shares memory with an input or another result."""
    fresh = {name for name, record in REGISTRY.items() if traits_of(record).fresh}
    seen: set[str] = set()

    def look(node: Any, arrays: list[np.ndarray], attrs: dict[str, Any], results: list[np.ndarray]) -> None:
        record = node.record
        if record.name not in fresh or not isinstance(record, Op) or record.stateful:
            return
        seen.add(record.name)
        again = record.numpy(*arrays, **attrs)
        again = [np.asarray(r) for r in ((again,) if record.single else again)]
        for result in again:
            if result.ndim and result.size and result.dtype.kind != "O":
                assert result.flags.writeable and 0 not in _strides(result), record.name
                others = [*arrays, *results, *(r for r in again if r is not result)]
                assert not any(np.may_share_memory(result, x) for x in others), record.name

    for samples in OWNERS.values():
        for sample in samples:
            for gradient in (False, True) if sample.case.grad else (False,):
                found = traced(sample, "full", gradient)
                seeds = seeds_of(found[0]) if found is not None and gradient else []
                if found is not None and seeds is not None:
                    with np.errstate(all="ignore"):
                        found[0].evaluate(seeds, visit=look)
    assert seen >= _FRESH, "no sample calls them"
