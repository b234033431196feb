"""The recorded answers of TensorFlow against headwater's `tf.function`: on the NumPy plan, and compiled by XLA.

XLA compiles for a while, so an ordinary run takes one in ten of the samples there, chosen by name; HEADWATER_ALL_MODES=1 takes all.
"""

from __future__ import annotations

import os
import zlib
from typing import Any

import encoding
import gradcheck
import harness
import pytest
from test_reference import PUBLIC, _limited, answers

import headwater as tf
from headwater._src.core.op import HOST_ONLY
from headwater._src.core.tensor import of_array

# Each sample makes a function of its own from one piece of code, which is what the warning is about.
pytestmark = pytest.mark.filterwarnings("ignore:tf.function")

ALL = bool(os.environ.get("HEADWATER_ALL_MODES"))

UNTRACED = {
    "nest.": "works on Python structures",
    "random.set_seed": "is about eager streams",
    "random.": "a traced operation has a stream of its own, numbered as it is traced",
}
"""Names whose samples say nothing of graphs, with the reason."""


def _graphable(sample: harness.Sample) -> bool:
    recorded = answers().get(encoding.key_of(sample))
    if (
        recorded is None
        or recorded.get("missing")
        or _limited(sample, "all")
        or "values" not in recorded
        or "error" in recorded
    ):
        return False
    if isinstance(recorded.get("static"), str) or _limited(sample, "value") or _limited(sample, "error"):
        return False
    stateless = "stateless" in str(sample.public)
    if not stateless and any(str(sample.public).startswith(name) for name in UNTRACED):
        return False
    arrays = harness.Slots(sample.case).arrays
    return bool(arrays)


TRACED = [s for s in PUBLIC if _graphable(s)]
COMPILED = [s for s in TRACED if ALL or zlib.crc32(s.key.encode()) % 10 == 0]


def as_function(sample: harness.Sample, slots: harness.Slots, jit_compile: bool) -> Any:
    """The call as a tf.function of its arrays."""
    function = sample.function()

    @tf.function(jit_compile=jit_compile, autograph=False)
    def call(*tensors: Any) -> Any:
        args, kwargs = slots.build(list(tensors))
        return harness.flat(function(*args, **kwargs))

    return call


def differences(sample: harness.Sample, jit_compile: bool) -> list[str]:
    """What differs from the recorded values and gradients, a line each."""
    recorded = answers()[encoding.key_of(sample)]
    slots = harness.Slots(sample.case)
    call = as_function(sample, slots, jit_compile)
    tensors = [of_array(a) for a in slots.arrays]
    results = [t._array for t in call(*tensors)]
    want = [encoding.unpack(v) for v in recorded["values"]]
    tol = sample.case.tol if not jit_compile else max(sample.case.tol, 2e-5)
    if len(want) != len(results):
        return [f"{len(results)} results instead of {len(want)}"]
    lines = [harness.difference(r, w, tol) for r, w in zip(results, want, strict=True)]
    return [line for line in lines if line] + _gradients(sample, recorded, slots, call, tol)


def _gradients(
    sample: harness.Sample, recorded: Any, slots: harness.Slots, call: Any, tol: float
) -> list[str]:
    want = recorded.get("grads")
    if want is None or isinstance(want, str) or _limited(sample, "gradient"):
        return []

    def run(sources: list[Any]) -> list[Any]:
        values = [of_array(a) for a in slots.arrays]
        for index, tensor in zip(slots.grad, sources, strict=True):
            values[index] = tensor
        return gradcheck.differentiable(call(*values))

    sources = [of_array(slots.arrays[i]) for i in slots.grad]
    seeds = [of_array(s) for s in harness.seed_arrays([y._array for y in run(sources)])]
    lines = []
    for i, (g, w) in enumerate(zip(gradcheck.gradients(run, sources, seeds), want, strict=True)):
        if w is not None and g is not None:
            line = harness.difference(g._array, encoding.unpack(w), max(tol, 1e-5))
            lines += [f"gradient of input {i}: {line}"] if line else []
        elif (g is None) != (w is None):
            lines.append(f"gradient of input {i}: {'None' if g is None else 'there'}, in TensorFlow not so")
    return lines


@pytest.mark.parametrize("sample", TRACED, ids=repr)
def test_on_the_plan(sample: harness.Sample) -> None:
    assert not differences(sample, False)


@pytest.mark.parametrize("sample", COMPILED, ids=repr)
def test_compiled(sample: harness.Sample) -> None:
    slots = harness.Slots(sample.case)
    call = as_function(sample, slots, False)
    graph = call.get_concrete_function(*[of_array(a) for a in slots.arrays]).graph
    strings = any(a.dtype.kind == "O" for a in slots.arrays)
    if strings or any(isinstance(getattr(n.record, "lower", None), HOST_ONLY) for n in graph.nodes):
        pytest.skip("has an operation of the host")
    try:
        found = differences(sample, True)
    except tf.errors.InvalidArgumentError as error:
        if "must be known when the program is compiled" not in str(error):
            raise
        pytest.skip("an argument decides a shape")
    assert not found
