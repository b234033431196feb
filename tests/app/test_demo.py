"""The demo: its hand-written parts against NumPy, and a short run from data to picture."""

from __future__ import annotations

import io
from typing import Any
from urllib.error import URLError

import numpy as np
import pytest

import headwater as tf
from headwater._src.app import demo

for needed in ("sklearn", "matplotlib", "rich"):
    pytest.importorskip(needed)


@pytest.fixture(scope="module")
def parts() -> dict[str, Any]:
    return demo.custom_parts()


def quiet_console() -> Any:
    from rich.console import Console

    return Console(file=io.StringIO(), width=110)


# --- the parts ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("threshold", "error", "value"),
    [(1.0, 0.0, 0.0), (1.0, 0.5, 0.125), (1.0, -3.0, 2.5), (2.0, -1.0, 0.5), (2.0, 5.0, 8.0)],
)
def test_huber_loss(parts: dict[str, Any], threshold: float, error: float, value: float) -> None:
    loss = parts["HuberLoss"](threshold)
    assert float(loss(np.array([[1.0 + error]], "f"), np.array([[1.0]], "f"))) == pytest.approx(value)
    assert parts["HuberLoss"].from_config(loss.get_config()).threshold == threshold


def test_huber_metric_counts_rows_not_batches(parts: dict[str, Any]) -> None:
    metric = parts["HuberMetric"](1.0)
    zeros = np.zeros((4, 1), "f")
    metric.update_state(zeros[:1], zeros[:1] + 0.5)
    metric.update_state(zeros[:3], zeros[:3] + 2.0)
    assert float(metric.result()) == pytest.approx((0.125 + 3 * 1.5) / 4)
    metric.update_state(zeros[:2], zeros[:2] + 2.0, sample_weight=np.array([[0.0], [4.0]], "f"))
    assert float(metric.result()) == pytest.approx((0.125 + 3 * 1.5 + 4 * 1.5) / 8)
    metric.reset_state()
    metric.update_state(zeros, zeros)
    assert float(metric.result()) == 0.0
    assert parts["HuberMetric"].from_config(metric.get_config()).threshold == 1.0


def test_softplus_at_ordinary_and_extreme_values(parts: dict[str, Any]) -> None:
    z = np.array([-200.0, -5.0, -0.5, 0.0, 0.5, 5.0, 200.0], "f")
    np.testing.assert_allclose(
        parts["softplus_by_hand"](tf.constant(z)), np.logaddexp(0, z), rtol=1e-5, atol=1e-7
    )


def test_weights_helpers(parts: dict[str, Any]) -> None:
    weights = tf.constant([[-1.5, 0.0], [2.0, -0.25]])
    np.testing.assert_array_equal(parts["PositiveWeights"]()(weights), [[0.0, 0.0], [2.0, 0.0]])
    assert float(parts["L1"](0.1)(weights)) == pytest.approx(0.375)
    drawn = np.asarray(parts["GlorotNormal"]()((300, 100)))
    assert drawn.shape == (300, 100)
    assert drawn.dtype == np.float32
    assert drawn.std() == pytest.approx((2 / 400) ** 0.5, rel=0.05)


# --- the data -------------------------------------------------------------------------------------


def test_data_is_standardised_by_the_training_rows() -> None:
    from sklearn.datasets import load_diabetes

    data = demo.load_data(demo.Options())
    assert (data.x_train.shape, data.y_train.shape, data.x_val.shape) == ((331, 10), (331, 1), (111, 10))
    for array in (data.x_train, data.y_train):
        np.testing.assert_allclose(array.mean(axis=0), 0.0, atol=1e-5)
        np.testing.assert_allclose(array.std(axis=0), 1.0, atol=1e-5)
    assert np.abs(data.x_val.mean(axis=0)).max() > 0.01
    both = np.concatenate([data.in_units(data.y_train), data.in_units(data.y_val)])
    np.testing.assert_allclose(np.sort(both), np.sort(load_diabetes().target), rtol=1e-5)


def test_california_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(**kwargs: Any) -> None:
        msg = "no route"
        raise URLError(msg)

    monkeypatch.setattr("sklearn.datasets.fetch_california_housing", unreachable)
    with pytest.raises(demo.DemoError, match=r"could not be fetched .*no route.*--data diabetes"):
        demo.load_data(demo.Options(data="california"))


# --- the run --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def short_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[demo.Outcome, str]:
    console = quiet_console()
    out = tmp_path_factory.mktemp("demo") / "made" / "here"
    return demo.run(demo.Options(epochs=15, batch_size=16, out=out), console), console.file.getvalue()


def test_the_model_learns(short_run: tuple[demo.Outcome, str]) -> None:
    outcome, _ = short_run
    scores = dict(outcome.scores)
    history = outcome.history
    assert scores["wide and deep, headwater"] == pytest.approx(history.val_mae[-1], rel=1e-4)
    assert scores["wide and deep, headwater"] < 0.75 * scores["mean of the training rows"]
    assert scores["wide and deep, headwater"] < 1.15 * scores["ridge regression"]
    assert history.train_loss[-1] < 0.6 * history.train_loss[0]
    for loss, huber in ((history.train_loss, history.train_huber), (history.val_loss, history.val_huber)):
        assert len(loss) == len(huber) == 15
        assert all(0.0 < a - b < 0.05 for a, b in zip(loss, huber, strict=True))  # the penalty


def test_the_tables_say_what_happened(short_run: tuple[demo.Outcome, str]) -> None:
    outcome, printed = short_run
    assert "331 rows to train on, 111 to validate" in printed
    assert "300/300" in printed  # the progress bar at its end: 15 epochs of 20 steps
    assert f"{outcome.history.val_mae[-1]:.3f}" in printed
    for name, mae in outcome.scores:
        assert any(name in line and f"{mae:.3f}" in line for line in printed.splitlines())
    for path in (outcome.model_path, outcome.picture_path):
        assert str(path) in printed


def test_the_saved_model_comes_back_whole(short_run: tuple[demo.Outcome, str], parts: dict[str, Any]) -> None:
    outcome, _ = short_run
    assert outcome.reload_difference == 0.0
    model = tf.keras.models.load_model(outcome.model_path, custom_objects=parts)
    assert isinstance(model.loss, parts["HuberLoss"])
    assert model.loss.threshold == demo.THRESHOLD
    assert model.get_layer("deep_1").activation is parts["softplus_by_hand"]
    assert model.get_layer("wide").kernel_regularizer.factor == 0.002
    mix = model.get_layer("mix")
    assert isinstance(mix.kernel_constraint, parts["PositiveWeights"])
    assert (np.asarray(mix.kernel) >= 0).all()


def test_the_picture_has_its_curves(short_run: tuple[demo.Outcome, str]) -> None:
    from matplotlib.image import imread

    picture = imread(short_run[0].picture_path)[..., :3]
    assert picture.shape == (576, 1800, 3)
    orange = np.abs(picture - np.array([0xE0, 0x7B, 0x39]) / 255).max(axis=-1) < 0.02
    blue = np.abs(picture - np.array([0x1F, 0x5F, 0x8B]) / 255).max(axis=-1) < 0.02
    panels = [slice(0, 600), slice(600, 1200), slice(1200, 1800)]
    assert [bool(orange[:, panel].sum() > 200) for panel in panels] == [True, True, False]
    assert [bool(blue[:, panel].sum() > 200) for panel in panels] == [True, False, False]


def test_each_part_is_trained_and_runs_repeat(parts: dict[str, Any]) -> None:
    data = demo.load_data(demo.Options(rows=80))
    assert len(data.x_train) == 60
    lengths = {"epochs": 2, "batch_size": 20, "deep_rate": 0.001, "console": quiet_console()}
    ends = []
    for _ in range(2):
        tf.keras.utils.set_random_seed(7)
        model = demo.build_model(10, parts)
        before = [np.array(w) for w in model.get_weights()]
        history = demo.train(model, data, parts, **lengths)
        after = [np.array(w) for w in model.get_weights()]
        assert all((a != b).any() for a, b in zip(after, before, strict=True))
        ends.append((history.train_loss, history.val_mae, [w.tolist() for w in after]))
    assert ends[0] == ends[1]
    wide, deep = demo.part_variables(model)
    assert [tuple(v.shape) for v in wide] == [(10, 1), (1,)]
    assert len(wide) + len(deep) == len(model.trainable_variables)
