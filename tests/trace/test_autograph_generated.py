"""Generated programs: eager execution, converted Python, the NumPy plan and XLA agree."""

from __future__ import annotations

import generated
import pytest
from hypothesis import HealthCheck, given, settings

import headwater as tf
from headwater._src.trace.autograph.convert import converted

pytestmark = pytest.mark.filterwarnings("ignore:tf.function")

INPUTS = ((1, 2), (3, -1))
CHECKS = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)


@settings(max_examples=60, deadline=None, database=None, derandomize=True, suppress_health_check=CHECKS)
@given(generated.programs())
def test_converted_python_is_python(text):
    program = generated.compiled(text)
    for x, y in INPUTS:
        assert generated.outcome(converted(program), x, y) == generated.outcome(program, x, y)


@settings(max_examples=40, deadline=None, database=None, derandomize=True, suppress_health_check=CHECKS)
@given(generated.programs())
def test_graphs_are_what_eager_execution_is(text):
    program = generated.compiled(text)
    graph = tf.function(program, jit_compile=False)
    for x, y in INPUTS:
        tensors = tf.constant(x), tf.constant(y)
        assert generated.outcome(graph, *tensors) == generated.outcome(program, *tensors)


@settings(max_examples=6, deadline=None, database=None, derandomize=True, suppress_health_check=CHECKS)
@given(generated.programs(depth=2))
def test_compiled_programs_are_what_eager_execution_is(text):
    pytest.importorskip("jax")
    program = generated.compiled(text)
    compiled = tf.function(program, jit_compile=True)
    for x, y in INPUTS:
        tensors = tf.constant(x), tf.constant(y)
        assert generated.outcome(compiled, *tensors) == generated.outcome(program, *tensors)
