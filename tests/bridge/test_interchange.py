"""Files that Keras on TensorFlow wrote give the same predictions here, and files written here can be read again."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

import headwater as tf

sys.path.insert(0, str(Path(__file__).parent))

import interchange

FILES = [(name, suffix) for name in interchange.MODELS for suffix in (".keras", ".weights.h5")]


@pytest.fixture(scope="module")
def from_tensorflow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tensorflow")
    shutil.unpack_archive(interchange.WRITTEN, folder)
    return folder


@pytest.mark.parametrize("name, suffix", FILES)
def test_what_tensorflow_wrote_predicts_the_same(from_tensorflow: Path, name: str, suffix: str) -> None:
    assert interchange.check(tf, from_tensorflow, name, suffix) <= interchange.TOLERANCE


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("written")
    interchange.write(tf, folder)
    return folder


@pytest.mark.parametrize("name, suffix", FILES)
def test_what_is_written_here_predicts_the_same(written: Path, name: str, suffix: str) -> None:
    assert interchange.check(tf, written, name, suffix) <= interchange.TOLERANCE


def test_the_same_script_gives_the_same_predictions_as_on_tensorflow(
    written: Path, from_tensorflow: Path
) -> None:
    here, there = (np.load(folder / interchange.PREDICTIONS) for folder in (written, from_tensorflow))
    with here, there:
        assert set(here) == set(there)
        for key in here:
            np.testing.assert_allclose(here[key], there[key], rtol=1e-4, atol=1e-5, err_msg=key)
