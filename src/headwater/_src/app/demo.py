"""`headwater demo`: a Keras model with hand-written parts, trained by a hand-written loop on real data.

The model is wide and deep (Cheng et al., "Wide & Deep Learning for Recommender Systems", 2016): a linear part
and a small network, each trained by an optimizer of its own. Read `custom_parts`, `build_model` and `train`
for what the demo is about; the rest loads the data and shows the results.
"""

from __future__ import annotations

import socket
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

SEED = 42
THRESHOLD = 1.0  # of the Huber loss, in standard deviations of the target
TABLE_ROWS = 12  # at most this many epochs are printed; the picture has them all


class DemoError(Exception):
    """The demo cannot go on for a reason its user can mend; the message is the whole story."""


@dataclass(frozen=True)
class Options:
    """What the user may choose. None for `epochs` or `batch_size` means the data set's own default."""

    data: str = "diabetes"
    epochs: int | None = None
    batch_size: int | None = None
    out: Path = Path("headwater-demo")
    rows: int | None = None  # train and validate on this many random rows only


@dataclass(frozen=True)
class DataSet:
    """A regression task, split and standardised with the training rows' mean and standard deviation.

    Features are float32 of shape (rows, columns), targets float32 of shape (rows, 1) in standard deviations
    from the mean; `target_mean` and `target_std` lead back to `unit`.
    """

    title: str
    target: str
    unit: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_val: np.ndarray
    y_val: np.ndarray
    target_mean: float
    target_std: float

    def in_units(self, y: np.ndarray) -> np.ndarray:
        """Standardised targets or predictions as a flat array in the target's own unit."""
        return np.asarray(y, np.float64).ravel() * self.target_std + self.target_mean


@dataclass
class History:
    """One number per epoch in each list.

    Losses include the penalty, Huber values do not; `val_mae` is in the target's unit.
    """

    train_loss: list[float] = field(default_factory=list)
    val_loss: list[float] = field(default_factory=list)
    train_huber: list[float] = field(default_factory=list)
    val_huber: list[float] = field(default_factory=list)
    val_mae: list[float] = field(default_factory=list)
    steps_per_second: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """What `run` leaves: the history, (name, validation MAE) pairs, and the files written."""

    history: History
    scores: list[tuple[str, float]]
    reload_difference: float
    model_path: Path
    picture_path: Path


# --- data -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Source:
    """Where a data set comes from, how it is named, and the training that suits its size."""

    load: Any
    title: str
    target: str
    unit: str
    epochs: int
    batch_size: int
    deep_rate: float  # Adam's; more rows bear a bolder one


def _load_diabetes() -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_diabetes

    return load_diabetes(return_X_y=True, scaled=False)


def _load_california() -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import fetch_california_housing

    timeout = socket.getdefaulttimeout()
    socket.setdefaulttimeout(20)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # scikit-learn warns before it tries again; our sentence follows
            return fetch_california_housing(return_X_y=True, n_retries=1, delay=0.1)
    except OSError as error:  # urllib's URLError and HTTPError are OSErrors
        msg = (
            f"the California housing data could not be fetched ({error}). scikit-learn downloads it the "
            "first time, which needs a network; `--data diabetes` needs none."
        )
        raise DemoError(msg) from error
    finally:
        socket.setdefaulttimeout(timeout)


SOURCES = {
    "diabetes": Source(
        load=_load_diabetes,
        title="Diabetes",
        target="disease progression after a year",
        unit="points",
        epochs=40,
        batch_size=32,
        deep_rate=0.001,
    ),
    "california": Source(
        load=_load_california,
        title="California housing",
        target="median house value",
        unit="$100,000",
        epochs=20,
        batch_size=128,
        deep_rate=0.004,
    ),
}


def load_data(options: Options) -> DataSet:
    """Load, shuffle, split 3:1 and standardise. Only the training rows decide the means and deviations."""
    source = SOURCES[options.data]
    x, y = source.load()
    order = np.random.default_rng(SEED).permutation(len(x))[: options.rows]
    x, y = np.asarray(x, np.float64)[order], np.asarray(y, np.float64)[order, np.newaxis]
    n_train = len(x) * 3 // 4
    x_mean, x_std = x[:n_train].mean(axis=0), x[:n_train].std(axis=0)
    y_mean, y_std = float(y[:n_train].mean()), float(y[:n_train].std())
    x = ((x - x_mean) / np.where(x_std > 0, x_std, 1.0)).astype(np.float32)
    y = ((y - y_mean) / y_std).astype(np.float32)
    return DataSet(
        title=source.title,
        target=source.target,
        unit=source.unit,
        x_train=x[:n_train],
        y_train=y[:n_train],
        x_val=x[n_train:],
        y_val=y[n_train:],
        target_mean=y_mean,
        target_std=y_std,
    )


# --- the model's own parts ------------------------------------------------------------------------


def custom_parts() -> dict[str, Any]:
    """The hand-written pieces by name: just the dictionary that `load_model(..., custom_objects=...)` wants.

    They are made inside a function because their base classes are Keras's, which loads when the demo runs.
    """
    import headwater as tf

    keras: Any = tf.keras

    def huber(y_true: Any, y_pred: Any, threshold: float) -> Any:
        """Quadratic near zero, linear beyond the threshold (Huber, 1964), one value per element."""
        size = tf.abs(y_true - y_pred)
        return tf.where(size < threshold, tf.square(size) / 2.0, threshold * size - threshold**2 / 2.0)

    class HuberLoss(keras.losses.Loss):
        def __init__(self, threshold: float = 1.0, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.threshold = threshold

        def call(self, y_true: Any, y_pred: Any) -> Any:
            return huber(y_true, y_pred, self.threshold)

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "threshold": self.threshold}

    class HuberMetric(keras.metrics.Metric):
        """The mean Huber value of every element seen since the last reset, however they were batched."""

        def __init__(self, threshold: float = 1.0, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.threshold = threshold
            self.total = self.add_weight(name="total", initializer="zeros")
            self.count = self.add_weight(name="count", initializer="zeros")

        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
            values = huber(y_true, y_pred, self.threshold)
            weights = tf.ones_like(values) if sample_weight is None else sample_weight * tf.ones_like(values)
            self.total.assign_add(tf.reduce_sum(weights * values))
            self.count.assign_add(tf.reduce_sum(weights))

        def result(self) -> Any:
            return self.total / self.count

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "threshold": self.threshold}

    class GlorotNormal(keras.initializers.Initializer):
        """Normal with variance 2 / (fan_in + fan_out) (Glorot and Bengio, 2010)."""

        def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
            fan_in, fan_out = shape
            stddev = (2.0 / (fan_in + fan_out)) ** 0.5
            return tf.random.normal(shape, stddev=stddev, dtype=dtype or tf.float32)

    class L1(keras.regularizers.Regularizer):
        def __init__(self, factor: float = 0.01) -> None:
            self.factor = factor

        def __call__(self, weights: Any) -> Any:
            return self.factor * tf.reduce_sum(tf.abs(weights))

        def get_config(self) -> dict[str, Any]:
            return {"factor": self.factor}

    class PositiveWeights(keras.constraints.Constraint):
        def __call__(self, weights: Any) -> Any:
            return tf.where(weights < 0.0, tf.zeros_like(weights), weights)

    def softplus_by_hand(z: Any) -> Any:
        # log(1 + e^z) as written overflows for large z; this form never does.
        return tf.maximum(z, 0.0) + tf.math.log(1.0 + tf.exp(-tf.abs(z)))

    parts = (HuberLoss, HuberMetric, GlorotNormal, L1, PositiveWeights, softplus_by_hand)
    return {part.__name__: part for part in parts}


def build_model(columns: int, parts: dict[str, Any]) -> Any:
    """A wide (linear, L1) and a deep (softplus) part, added up with weights that may not turn negative.

    Layers of the wide part have names that begin with "wide"; all others belong to the deep part.
    """
    import headwater as tf

    layers = tf.keras.layers
    glorot, softplus = parts["GlorotNormal"](), parts["softplus_by_hand"]
    inputs = layers.Input((columns,), name="features")
    penalty = parts["L1"](0.002)
    wide = layers.Dense(1, kernel_initializer=glorot, kernel_regularizer=penalty, name="wide")(inputs)
    deep = inputs
    for i, units in enumerate((16, 8), start=1):
        deep = layers.Dense(units, activation=softplus, kernel_initializer=glorot, name=f"deep_{i}")(deep)
    deep = layers.Dense(1, kernel_initializer=glorot, name="deep_out")(deep)
    both = layers.Concatenate(name="both")([wide, deep])
    positive = parts["PositiveWeights"]()
    mix = layers.Dense(1, use_bias=False, kernel_initializer="ones", kernel_constraint=positive, name="mix")
    output = mix(both)
    return tf.keras.Model(inputs, output, name="wide_and_deep")


# --- training -------------------------------------------------------------------------------------


def part_variables(model: Any) -> tuple[list[Any], list[Any]]:
    """The trainable variables of the wide part and of the deep part."""
    wide: list[Any] = []
    deep: list[Any] = []
    for layer in model.layers:
        (wide if layer.name.startswith("wide") else deep).extend(layer.trainable_variables)
    return wide, deep


def train(
    model: Any,
    data: DataSet,
    parts: dict[str, Any],
    *,
    epochs: int,
    batch_size: int,
    deep_rate: float,
    console: Any,
) -> History:
    """The loop: random batches, one tape, an optimizer for each part, validation every epoch."""
    import headwater as tf

    loss_fn = parts["HuberLoss"](THRESHOLD)
    mean_loss = tf.keras.metrics.Mean(name="loss")
    huber = parts["HuberMetric"](THRESHOLD, name="huber")
    wide, deep = part_variables(model)
    wide_optimizer = tf.keras.optimizers.SGD(learning_rate=0.002, momentum=0.9)
    deep_optimizer = tf.keras.optimizers.Adam(learning_rate=deep_rate)

    def step(x: np.ndarray, y: np.ndarray) -> None:
        with tf.GradientTape() as tape:
            predicted = model(x, training=True)
            loss = tf.add_n([loss_fn(y, predicted), *model.losses])
        wide_gradients, deep_gradients = tape.gradient(loss, [wide, deep])
        wide_optimizer.apply_gradients(zip(wide_gradients, wide, strict=True))
        deep_optimizer.apply_gradients(zip(deep_gradients, deep, strict=True))
        mean_loss.update_state(loss)
        huber.update_state(y, predicted)

    rng = np.random.default_rng(SEED)
    steps = max(1, len(data.x_train) // batch_size)
    history = History()
    training_seconds = 0.0
    with _progress(console) as bar:
        task = bar.add_task("training", total=epochs * steps, status="")
        for epoch in range(1, epochs + 1):
            started = time.perf_counter()
            for _ in range(steps):
                batch = rng.integers(len(data.x_train), size=batch_size)
                step(data.x_train[batch], data.y_train[batch])
                bar.advance(task)
            training_seconds += time.perf_counter() - started
            history.train_loss.append(float(mean_loss.result()))
            history.train_huber.append(float(huber.result()))
            mean_loss.reset_state()
            huber.reset_state()
            validate(model, data, parts, loss_fn, history)
            losses = f"loss {history.train_loss[-1]:.4f}  val {history.val_loss[-1]:.4f}"
            bar.update(task, status=f"epoch {epoch}/{epochs}  {losses}")
    history.steps_per_second = epochs * steps / training_seconds
    return history


def validate(model: Any, data: DataSet, parts: dict[str, Any], loss_fn: Any, history: History) -> None:
    """Append this epoch's validation loss, Huber value and mean absolute error to `history`."""
    import headwater as tf

    huber, mae = parts["HuberMetric"](THRESHOLD), tf.keras.metrics.MeanAbsoluteError()
    loss, rows = 0.0, len(data.x_val)
    for start in range(0, rows, 1024):
        x, y = data.x_val[start : start + 1024], data.y_val[start : start + 1024]
        predicted = model(x, training=False)
        loss += float(loss_fn(y, predicted)) * len(x) / rows
        huber.update_state(y, predicted)
        mae.update_state(y, predicted)
    history.val_loss.append(loss + sum(float(penalty) for penalty in model.losses))
    history.val_huber.append(float(huber.result()))
    history.val_mae.append(float(mae.result()) * data.target_std)


def save_and_reload(model: Any, path: Path, parts: dict[str, Any]) -> Any:
    """Save to a `.keras` file, loss and metric included, and return the model read back from that file."""
    import headwater as tf

    loss, metric = parts["HuberLoss"](THRESHOLD), parts["HuberMetric"](THRESHOLD)
    model.compile(loss=loss, metrics=[metric], run_eagerly=True)
    model.optimizer.build(model.trainable_variables)  # or Keras warns, on loading, that its state is missing
    model.save(path)
    return tf.keras.models.load_model(path, custom_objects=parts)


def baselines(data: DataSet) -> list[tuple[str, np.ndarray]]:
    """Standardised validation predictions of the training mean and of scikit-learn's ridge regression."""
    from sklearn.linear_model import RidgeCV

    ridge = RidgeCV(alphas=np.logspace(-2, 3, 16)).fit(data.x_train, data.y_train.ravel())
    mean = np.zeros(len(data.x_val))  # of standardised targets
    return [("mean of the training rows", mean), ("ridge regression", ridge.predict(data.x_val))]


# --- showing --------------------------------------------------------------------------------------


def _progress(console: Any) -> Any:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.fields[status]}"))
    return Progress(TextColumn("{task.description}"), *columns, console=console)


def _table(title: str, *headings: str) -> Any:
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold")
    for i, heading in enumerate(headings):
        table.add_column(heading, justify="left" if i == 0 else "right")
    return table


def show_history(history: History, unit: str, console: Any) -> None:
    """Print evenly spaced epochs, the first and the last among them."""
    headings = ("epoch", "train loss", "val loss", "train Huber", "val Huber", f"val MAE ({unit})")
    table = _table("Training", *headings)
    last = len(history.val_mae) - 1
    for i in sorted({round(i) for i in np.linspace(0, last, TABLE_ROWS)}):
        losses = (history.train_loss[i], history.val_loss[i], history.train_huber[i], history.val_huber[i])
        table.add_row(str(i + 1), *(f"{value:.4f}" for value in losses), f"{history.val_mae[i]:.3f}")
    console.print(table)


def show_reload(truth: np.ndarray, before: np.ndarray, after: np.ndarray, unit: str, console: Any) -> None:
    """Print the first few validation rows' predictions before saving and after reloading."""
    headings = ("row", f"true ({unit})", "before saving", "after reloading")
    table = _table("Saved, then reloaded with custom_objects", *headings)
    for i in range(min(4, len(truth))):
        table.add_row(str(i), f"{truth[i]:.2f}", f"{before[i]:.6f}", f"{after[i]:.6f}")
    console.print(table)


def show_scores(scores: list[tuple[str, float]], unit: str, console: Any) -> None:
    """Print each predictor's validation error and how it compares with the first one's."""
    table = _table("Validation", "predictor", f"MAE ({unit})", "against the mean")
    for name, mae in scores:
        table.add_row(name, f"{mae:.3f}", f"{mae / scores[0][1] - 1:+.1%}")
    console.print(table)


def draw(
    path: Path, data: DataSet, history: History, predicted: np.ndarray, scores: list[tuple[str, float]]
) -> None:
    """Write a PNG of three panels: loss and validation error by epoch, predicted against true values."""
    from matplotlib.figure import Figure

    blue, orange, grey = "#1f5f8b", "#e07b39", "#8a8f98"
    epochs = np.arange(1, len(history.val_mae) + 1)
    marker = "o" if len(epochs) == 1 else None  # a line through one point cannot be seen
    figure = Figure(figsize=(15, 4.8), dpi=120, layout="constrained")
    title = f"{data.title}: a wide and deep model trained on headwater"
    figure.suptitle(title, fontsize=15, fontweight="bold")
    losses, errors, scatter = figure.subplots(1, 3)

    line: dict[str, Any] = {"lw": 2, "marker": marker}
    losses.plot(epochs, history.train_loss, color=blue, label="training (random batches)", **line)
    losses.plot(epochs, history.val_loss, color=orange, label="validation", **line)
    losses.set(title="Learning curve", xlabel="epoch", ylabel="Huber loss + L1 penalty")

    errors.plot(epochs, history.val_mae, color=orange, label="wide and deep", **line)
    for (name, mae), style in zip(scores[:-1], (":", "--"), strict=True):
        errors.axhline(mae, color=grey, ls=style, lw=1.5, label=name)
    errors.set(title="Validation error", xlabel="epoch", ylabel=f"mean absolute error ({data.unit})")

    truth = data.in_units(data.y_val)
    ends = [min(truth.min(), predicted.min()), max(truth.max(), predicted.max())]
    points: dict[str, Any] = {"s": 26, "alpha": 0.65} if len(truth) < 1000 else {"s": 6, "alpha": 0.25}
    scatter.scatter(truth, predicted, color=blue, edgecolors="none", label="validation rows", **points)
    scatter.plot(ends, ends, color=grey, ls="--", lw=1.5, label="perfect prediction")
    scatter.set(title=f"Predicted and true {data.target}")
    scatter.set(xlabel=f"true ({data.unit})", ylabel=f"predicted ({data.unit})")

    for axes in (losses, errors, scatter):
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
    figure.savefig(path)


# --- all of it ------------------------------------------------------------------------------------


def run(options: Options, console: Any = None) -> Outcome:
    """Train, validate, save, reload and compare.

    Prints tables on `console` (a `rich.console.Console`) and writes the model and the picture
    to `options.out`.
    Raises DemoError if the data can't be fetched or the reloaded model predicts other values than
    the saved one, and ModuleNotFoundError if a package of the `demo` extra is missing.
    """
    import matplotlib  # noqa: F401 - a missing one is found before the training, not after
    from rich.console import Console

    console = console or Console()
    data = load_data(options)

    import headwater as tf

    source = SOURCES[options.data]
    epochs, batch_size = options.epochs or source.epochs, options.batch_size or source.batch_size
    console.print(
        f"[bold]{data.title}[/bold]: {data.target} from {data.x_train.shape[1]} columns, "
        f"{len(data.x_train)} rows to train on, {len(data.x_val)} to validate."
    )
    tf.keras.utils.set_random_seed(SEED)
    parts = custom_parts()
    model = build_model(data.x_train.shape[1], parts)
    lengths = {"epochs": epochs, "batch_size": batch_size}
    history = train(model, data, parts, **lengths, deep_rate=source.deep_rate, console=console)
    show_history(history, data.unit, console)

    options.out.mkdir(parents=True, exist_ok=True)
    model_path, picture_path = options.out / "wide_and_deep.keras", options.out / "learning_curve.png"
    reloaded = save_and_reload(model, model_path, parts)
    truth = data.in_units(data.y_val)
    before, after = (data.in_units(m(data.x_val, training=False).numpy()) for m in (model, reloaded))
    difference = float(np.abs(before - after).max())
    show_reload(truth, before, after, data.unit, console)
    console.print(f"Largest difference over all {len(truth)} validation rows: {difference:g}\n")
    if difference > 1e-5 * data.target_std:
        msg = f"the reloaded model predicts other values than the saved one, by up to {difference:g}."
        raise DemoError(msg)

    predictions = [(name, data.in_units(y)) for name, y in baselines(data)]
    predictions.append(("wide and deep, headwater", before))
    scores = [(name, float(np.abs(y - truth).mean())) for name, y in predictions]
    show_scores(scores, data.unit, console)
    draw(picture_path, data, history, before, scores)
    console.print(f"{history.steps_per_second:.0f} training steps a second. Written:", highlight=False)
    for path in (model_path, picture_path):
        console.print(f"  {path}", soft_wrap=True, highlight=False, markup=False)
    return Outcome(history, scores, difference, model_path, picture_path)
