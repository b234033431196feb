"""The same script with the same seed prints the losses that TensorFlow prints."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

import headwater as tf

sys.path.insert(0, str(Path(__file__).parent))

import training_scripts

ANSWERS = json.loads(training_scripts.RECORDED.read_text())["losses"]


@pytest.mark.parametrize("name", training_scripts.SCRIPTS)
def test_losses_and_metrics_are_those_of_tensorflow(name: str) -> None:
    found = training_scripts.train(training_scripts.SCRIPTS[name], tf.keras)
    assert found.keys() == ANSWERS[name].keys()
    for key, values in ANSWERS[name].items():
        np.testing.assert_allclose(found[key], values, rtol=0, atol=1e-4, err_msg=key)
