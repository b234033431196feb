"""The Python blocks of the two seed texts, run verbatim and in order on headwater.

A block that starts with `>>>` is read as an interactive session: each statement runs, and what the text
shows must be what it printed. A statement whose output the text leaves out is held to `NOT_SHOWN`. Blocks
without prompts are executed. A fragment that needs names or files it doesn't make gets them from `SUPPLIES`.
The tests after the verbatim run put to work what the blocks define and compare the numbers with NumPy.
"""

import ast
import codeop
import contextlib
import importlib
import io
import os
import re
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

SEEDS = Path(__file__).resolve().parents[2] / "shared" / "seeds"
TEXTS = sorted(SEEDS.glob("*.txt"))
if not TEXTS:
    pytest.skip("the seed texts (../shared/seeds) are not beside this checkout", allow_module_level=True)


# ---- Reading a text ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Block:
    """One fenced Python block of a text; `id` reads "000-block2"."""

    id: str
    source: str

    @property
    def is_session(self) -> bool:
        return self.source.lstrip().startswith(">>>")


@dataclass(frozen=True)
class Statement:
    """One prompt of a session: its code, and the output shown under it ("" where none is)."""

    source: str
    want: str


def read_blocks(path: Path) -> list[Block]:
    """The fenced Python blocks of one text, in order."""
    sources = re.findall(r"^```python\n(.*?)^```", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [Block(f"{path.name[:3]}-block{i}", source) for i, source in enumerate(sources)]


def read_session(text: str) -> list[Statement]:
    """Split a session into statements.

    More forgiving than doctest: `...` prompts may be missing where the code plainly goes on, and comment
    lines without a prompt are comments, not output.
    """
    lines = text.splitlines()
    statements: list[Statement] = []
    at = 0
    while at < len(lines):
        source, at = _take_code(lines, at)
        end = at
        while end < len(lines) and not lines[end].startswith(">>>"):
            end += 1
        shown = [line.rstrip() for line in lines[at:end] if not line.startswith("#")]
        if not source and any(shown):
            raise ValueError(f"output before the first prompt: {shown}")
        if source:
            statements.append(Statement(source, "\n".join(shown).strip("\n")))
        at = end
    return statements


def _take_code(lines: list[str], at: int) -> tuple[str, int]:
    """The code that starts at line `at`, and the line after it; "" where no prompt is there."""
    if not lines[at].startswith(">>>"):
        return "", at
    code = [lines[at][4:]]
    at += 1
    while at < len(lines) and not lines[at].startswith(">>>"):
        line = lines[at]
        if line.startswith("..."):
            code.append(line[4:])
        elif _goes_on(code, line):
            code.append(line)
        else:
            break
        at += 1
    return "\n".join(code), at


def _goes_on(code: list[str], line: str) -> bool:
    if code[0].rstrip().endswith(":") and line.startswith((" ", "\t")):
        return True
    try:
        ast.parse("\n".join(code))
    except SyntaxError:
        try:
            return codeop.compile_command("\n".join(code), symbol="exec") is None
        except SyntaxError:
            return False
    return False


# ---- Running a text ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shown:
    """What one statement of a session did: printed text, displayed value, repr of the name it assigned."""

    statement: Statement
    printed: str
    value: Any
    assigned: str | None


@dataclass
class Run:
    """One block after its run: what it was given, the names that exist after it, and what it printed.

    Later blocks compile the same model anew, so the loss it had after this block is kept as `loss`.
    """

    block: Block
    given: dict[str, Any] = field(default_factory=dict)
    names: dict[str, Any] = field(default_factory=dict)
    shown: list[Shown] = field(default_factory=list)
    stdout: str = ""
    loss: Any = None
    error: Exception | None = None

    def __getitem__(self, name: str) -> Any:
        """A name as it stood after this block; an earlier failure of the block is raised again."""
        if self.error is not None and name not in self.names:
            raise self.error
        return self.names[name]


def run_text(blocks: list[Block]) -> list[Run]:
    """Run the blocks of one text in one namespace, in the current directory; a failure doesn't stop the rest."""
    names: dict[str, Any] = {"__name__": f"seed_{blocks[0].id[:3]}"}
    return [_run_block(block, names) for block in blocks]


def _run_block(block: Block, names: dict[str, Any]) -> Run:
    run = Run(block)
    stdout = io.StringIO()
    try:
        run.given = SUPPLIES.get(block.id, dict)(**_wanted(block.id, names))
        names.update(run.given)
        with contextlib.redirect_stdout(stdout):
            if block.is_session:
                for statement in read_session(block.source):
                    run.shown.append(_run_statement(statement, names, block.id))
            else:
                # A real file, so that whatever reads the source of a function finds it.
                path = Path(f"{block.id}.py").resolve()
                path.write_text(block.source, encoding="utf-8")
                exec(compile(block.source, str(path), "exec"), names)
    except Exception as error:
        run.error = error
    run.stdout = stdout.getvalue()
    run.names = dict(names)
    run.loss = getattr(names.get("model"), "loss", None)
    return run


def _run_statement(statement: Statement, names: dict[str, Any], origin: str) -> Shown:
    values: list[Any] = []

    def display(value: object) -> None:
        if value is not None:
            values.append(value)
            print(repr(value))

    printed = io.StringIO()
    hook, sys.displayhook = sys.displayhook, display
    try:
        with contextlib.redirect_stdout(printed):
            mode = "single" if ast.parse(statement.source).body else "exec"  # "single" refuses a lone comment
            exec(compile(statement.source + "\n", f"<{origin}>", mode), names)
    finally:
        sys.displayhook = hook
    return Shown(statement, printed.getvalue(), values[-1] if values else None, _assigned(statement, names))


def _assigned(statement: Statement, names: dict[str, Any]) -> str | None:
    match ast.parse(statement.source).body:
        case [ast.Assign(targets=[ast.Name(id=name)])]:
            return repr(names[name])
    return None


# ---- What the fragments lack ---------------------------------------------------------------------------

ROWS, FEATURES = 320, 8


def training_data() -> dict[str, np.ndarray]:
    """A regression set: raw and standardised inputs [320, 8], and targets [320, 1] near a linear function."""
    rng = np.random.default_rng(12)
    scaled = rng.normal(size=(ROWS, FEATURES))
    scaled = ((scaled - scaled.mean(0)) / scaled.std(0)).astype(np.float32)
    targets = scaled @ rng.normal(size=(FEATURES, 1)) + 2.0 + 0.1 * rng.normal(size=(ROWS, 1))
    return {
        "X_train": (scaled * 3.0 + 5.0).astype(np.float32),
        "X_train_scaled": scaled,
        "y_train": targets.astype(np.float32),
    }


def small_model(**dense: Any) -> Any:
    """An uncompiled model from [n, 8] to [n, 1]; keyword arguments go to its hidden Dense layer."""
    keras = importlib.import_module("tensorflow").keras
    keras.utils.set_random_seed(7)
    hidden = keras.layers.Dense(6, **{"activation": "relu", **dense})
    return keras.Sequential([keras.Input((FEATURES,)), hidden, keras.layers.Dense(1)])


def compiled_model(loss: Any, **options: Any) -> Any:
    model = small_model()
    model.compile(loss=loss, optimizer="nadam", run_eagerly=True, **options)
    return model


def train(model: Any, epochs: int = 1) -> dict[str, list[float]]:
    """Fit eagerly on the training data; returns the history."""
    data = training_data()
    model.run_eagerly = True
    return model.fit(data["X_train_scaled"], data["y_train"], epochs=epochs, verbose=0).history


def _for_the_loop() -> dict[str, Any]:
    tf = importlib.import_module("tensorflow")
    tf.keras.utils.set_random_seed(42)  # seeds np.random too, from which the block draws its batches
    return {"tf": tf, "np": np, **training_data()}


def _saved(loss: Any, path: str) -> dict[str, Any]:
    model = compiled_model(loss)
    train(model)
    model.save(path)
    return {"model": model}


# Block -> what it is given, as a function of the names it asks for by parameter.
SUPPLIES: dict[str, Callable[..., dict[str, Any]]] = {
    "000-block0": _for_the_loop,
    "000-block1": lambda: {"tf": importlib.import_module("tensorflow")},
    "001-block5": lambda huber_fn: _saved(huber_fn, "my_model_with_a_custom_loss.keras"),
    "001-block6": lambda model=None: {"model": model or compiled_model("mse")},
    "001-block7": lambda create_huber: _saved(
        create_huber(2.0), "my_model_with_a_custom_loss_threshold_2.keras"
    ),
    "001-block8": lambda model=None: {"model": model or compiled_model("mse")},
    "001-block11": lambda model=None: {"model": model or compiled_model("mse")},
}


def _wanted(block: str, names: dict[str, Any]) -> dict[str, Any]:
    supply = SUPPLIES.get(block)
    wanted = supply.__code__.co_varnames[: supply.__code__.co_argcount] if supply else ()
    return {name: names[name] for name in wanted if name in names}


# What TensorFlow 2.21 prints for the statements whose output the texts leave out.
NOT_SHOWN = {
    ("001-block3", "v.assign(2 * v)"): """\
        <tf.Variable 'UnreadVariable' shape=(2, 3) dtype=float32, numpy=
        array([[ 2.,  4.,  6.],
               [ 8., 10., 12.]], dtype=float32)>""",
    ("001-block3", "v[0, 1].assign(42)"): """\
        <tf.Variable 'UnreadVariable' shape=(2, 3) dtype=float32, numpy=
        array([[ 2., 42.,  6.],
               [ 8., 10., 12.]], dtype=float32)>""",
    ("001-block12", "precision([0, 1, 1, 1, 0, 1, 0, 1], [1, 1, 0, 1, 0, 1, 0, 1])"): (
        "<tf.Tensor: shape=(), dtype=float32, numpy=0.800000011920929>"
    ),
    ("001-block12", "precision([0, 1, 0, 0, 1, 0, 1, 1], [1, 0, 1, 1, 0, 0, 0, 0])"): (
        "<tf.Tensor: shape=(), dtype=float32, numpy=0.5>"
    ),
}

BLOCKS = {path.name[:3]: read_blocks(path) for path in TEXTS}


def _block_param(block: Block) -> Any:
    return pytest.param(block, id=block.id)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """Every block's run by its id, each text in a namespace and a directory of its own."""
    import headwater

    headwater.install_as_tensorflow()
    import tensorflow as tf

    done: dict[str, Run] = {}
    for name, blocks in BLOCKS.items():
        tf.keras.backend.clear_session()  # as in a new process: the first Precision is named "precision"
        home = os.getcwd()
        os.chdir(tmp_path_factory.mktemp(f"seed_{name}"))
        try:
            done.update((run.block.id, run) for run in run_text(blocks))
        finally:
            os.chdir(home)
    return done


@pytest.fixture(scope="module")
def tf(runs: dict[str, Run]) -> Any:
    return importlib.import_module("tensorflow")


# ---- The reader ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (">>> a = 1\n>>> a\n1\n", [("a = 1", ""), ("a", "1")]),
        (">>> f(\n1,\n2)\n3\n", [("f(\n1,\n2)", "3")]),
        (">>> f(\n... 1)\n3\n", [("f(\n1)", "3")]),
        (">>> for i in x:\n...     i\n...\n0\n\n1\n", [("for i in x:\n    i\n", "0\n\n1")]),
        (">>> for i in x:\n    i\n0\n", [("for i in x:\n    i", "0")]),
        (
            ">>> g()\n\n# a remark\n>>> # another\n>>> h()\n5 \n\n\n",
            [("g()", ""), ("# another", ""), ("h()", "5")],
        ),
        (">>> s\n[1,\n 2]\n>>>\n", [("s", "[1,\n 2]")]),
    ],
)
def test_sessions_are_split_at_prompts(text: str, expected: list[tuple[str, str]]) -> None:
    assert [(s.source, s.want) for s in read_session(text)] == expected


def test_every_fence_of_the_texts_is_read() -> None:
    for path in TEXTS:
        fences = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("```")]
        assert len(BLOCKS[path.name[:3]]) == len(fences) / 2
    assert set(SUPPLIES) <= {block.id for blocks in BLOCKS.values() for block in blocks}


# ---- The texts, verbatim -------------------------------------------------------------------------------


@pytest.mark.parametrize("block", [_block_param(block) for blocks in BLOCKS.values() for block in blocks])
def test_block(runs: dict[str, Run], block: Block) -> None:
    run = runs[block.id]
    if run.error is not None:
        raise run.error
    for shown in run.shown:
        _check_shown(block.id, shown)


def _check_shown(block: str, shown: Shown) -> None:
    source, want = shown.statement.source, shown.statement.want
    if "<KerasVariable" in want:
        assert _variable_facts(shown.value) == _variable_facts_shown(want)
    elif want:
        # The texts also show values under assignments, where an interpreter prints nothing.
        assert (shown.assigned or shown.printed).rstrip("\n") == want, source
    else:
        assert shown.printed.rstrip("\n") == textwrap.dedent(NOT_SHOWN.get((block, source), "")), source


def _variable_facts(variables: list[Any]) -> list[tuple[str, str, str]]:
    return [(str(tuple(v.shape)), v.dtype, v.path) for v in variables]


def _variable_facts_shown(text: str) -> list[tuple[str, str, str]]:
    facts = re.findall(r"<KerasVariable shape=(\(.*?\)), dtype=(\w+), path=([\w/]+)>", text)
    assert len(facts) == text.count("<KerasVariable")
    return facts


# ---- 000: the training loop ----------------------------------------------------------------------------

EPOCHS, STEPS = 5, ROWS // 32
STATUS = re.compile(r"(\d+)/(\d+) - mean_loss: (\d+\.\d{4}) - mean_absolute_error: (\d+\.\d{4})")


def _status_by_epoch(stdout: str) -> list[list[tuple[str, ...]]]:
    """For each epoch the status bar's states, as (step, steps, mean loss, mean absolute error)."""
    epochs = re.split(r"^Epoch (\d+)/5\n", stdout, flags=re.MULTILINE)
    assert epochs[0] == "" and epochs[1::2] == [str(i + 1) for i in range(EPOCHS)]
    result = []
    for text in epochs[2::2]:
        assert text.startswith("\r") and text.endswith("\n") and text.count("\n") == 1
        states = [STATUS.fullmatch(state) for state in text[1:-1].split("\r")]
        result.append([state.groups() for state in states if state])
        assert len(result[-1]) == len(states)
    return result


def test_loop_prints_each_step_and_the_loss_falls(runs: dict[str, Run]) -> None:
    run = runs["000-block0"]
    if run.error is not None:
        raise run.error
    epochs = _status_by_epoch(run.stdout)
    for states in epochs:
        assert [state[:2] for state in states] == [(str(i + 1), str(STEPS)) for i in range(STEPS)]
    loss = [float(states[-1][2]) for states in epochs]
    error = [float(states[-1][3]) for states in epochs]
    assert loss == sorted(loss, reverse=True) and loss[-1] < 0.7 * loss[0]
    assert error[-1] < 0.5 * error[0]


def test_loop_resets_its_metrics_after_each_epoch(runs: dict[str, Run]) -> None:
    run = runs["000-block0"]
    for metric in [run["mean_loss"], *run["metrics"]]:
        assert [float(v.numpy()) for v in metric.variables] == [0.0, 0.0]
    # A mean that ran on would begin the second epoch near the end of the first, not at its own batch's loss.
    epochs = _status_by_epoch(run.stdout)
    assert float(epochs[1][0][2]) < 0.75 * float(epochs[0][-1][2])
    assert int(run["optimizer"].iterations) == EPOCHS * STEPS


def test_loop_model_predicts_and_adds_its_weight_penalties(runs: dict[str, Run]) -> None:
    run = runs["000-block0"]
    data, model = training_data(), run["model"]
    predicted = np.asarray(model(data["X_train_scaled"]))
    assert predicted.shape == (ROWS, 1)
    assert np.mean((predicted - data["y_train"]) ** 2) < 0.3 * np.var(data["y_train"])
    kernels = [layer.kernel.numpy() for layer in model.layers]
    penalties = [0.05 * np.sum(kernel**2) for kernel in kernels]
    np.testing.assert_allclose([float(loss) for loss in model.losses], penalties, rtol=1e-5)


def test_one_step_of_the_loop_is_gradient_descent_in_numpy(runs: dict[str, Run], tf: Any) -> None:
    run, data = runs["000-block0"], training_data()
    x, y = data["X_train_scaled"][:32], data["y_train"][:32]
    model = tf.keras.models.clone_model(run["model"])
    before = [w.numpy().astype(np.float64) for w in model.trainable_variables]
    with tf.GradientTape() as tape:
        main_loss = tf.reduce_mean(run["loss_fn"](y, model(x, training=True)))
        loss = tf.add_n([main_loss, *model.losses])
    gradients = tape.gradient(loss, model.trainable_variables)
    tf.keras.optimizers.SGD(learning_rate=0.01).apply_gradients(
        zip(gradients, model.trainable_variables, strict=True)
    )
    expected_loss, expected = _loss_and_gradients(x.astype(np.float64), y, *before)
    np.testing.assert_allclose(float(loss), expected_loss, rtol=1e-5)
    for weight, old, gradient in zip(model.trainable_variables, before, expected, strict=True):
        np.testing.assert_allclose(weight.numpy(), old - 0.01 * gradient, rtol=1e-4, atol=1e-6)


def _loss_and_gradients(x: np.ndarray, y: np.ndarray, *weights: np.ndarray) -> tuple[float, list[np.ndarray]]:
    """Mean squared error plus 0.05 * sum of squared kernels for an elu layer and a linear one, by hand."""
    w1, b1, w2, b2 = weights
    z = x @ w1 + b1
    h = np.where(z > 0, z, np.expm1(np.minimum(z, 0)))
    error = h @ w2 + b2 - y
    loss = np.mean(error**2) + 0.05 * (np.sum(w1**2) + np.sum(w2**2))
    d_out = 2 * error / error.size
    d_z = (d_out @ w2.T) * np.where(z > 0, 1.0, h + 1.0)
    return loss, [x.T @ d_z + 0.1 * w1, d_z.sum(0), h.T @ d_out + 0.1 * w2, d_out.sum(0)]


def test_tf_function_gives_what_python_gives(runs: dict[str, Run], tf: Any) -> None:
    run = runs["000-block1"]
    if run.error is not None:
        raise run.error
    cube = tf.function(run["cube"])
    assert int(cube(2)) == 8
    np.testing.assert_array_equal(cube(tf.constant([1.0, 2.0, 3.0])), [1.0, 8.0, 27.0])
    assert run["tf_cube"](tf.constant(2.0)) is None  # the text's decorated function returns nothing


# ---- 001: tensors and Variables ------------------------------------------------------------------------


def test_what_the_text_says_about_types_and_assignment(runs: dict[str, Run], tf: Any) -> None:
    run = runs["001-block3"]
    t, v, t2 = run["t"], run["v"], run["t2"]
    total = tf.constant(2.0) + tf.cast(t2, tf.float32)
    assert total.dtype == tf.float32 and float(total) == 42.0
    with pytest.raises(tf.errors.InvalidArgumentError):
        tf.constant(2.0) + tf.constant(40)
    with pytest.raises(tf.errors.InvalidArgumentError):
        tf.constant(2.0) + t2
    with pytest.raises(TypeError):
        v[0, 1] = 3.0
    with pytest.raises(TypeError):
        t[0, 1] = 3.0
    np.testing.assert_array_equal(v.numpy(), [[2.0, 42.0, 0.0], [8.0, 10.0, 1.0]])
    np.testing.assert_array_equal(tf.transpose(t).numpy(), t.numpy().T)
    np.testing.assert_array_equal(np.square(t), tf.square(t.numpy()).numpy())


# ---- 001: losses ---------------------------------------------------------------------------------------


def huber(y_true: np.ndarray, y_pred: np.ndarray, threshold: float = 1.0) -> np.ndarray:
    """Huber's loss by its definition (Huber, 1964): quadratic up to the threshold, linear beyond."""
    error = np.abs(np.asarray(y_true, np.float64) - y_pred)
    return np.where(error < threshold, error**2 / 2, threshold * error - threshold**2 / 2)


Y_TRUE = np.array([[0.0], [0.5], [-3.0], [10.0], [2.0], [1.0]], np.float32)
Y_PRED = np.array([[0.25], [2.0], [4.0], [10.0], [0.0], [2.0]], np.float32)


@pytest.mark.parametrize(
    ("block", "make", "threshold"),
    [
        ("001-block4", lambda run: run["huber_fn"], 1.0),
        ("001-block6", lambda run: run["create_huber"](), 1.0),
        ("001-block6", lambda run: run["create_huber"](2.0), 2.0),
        ("001-block6", lambda run: run["create_huber"](0.5), 0.5),
        ("001-block8", lambda run: run["HuberLoss"]().call, 1.0),
        ("001-block8", lambda run: run["HuberLoss"](2.0).call, 2.0),
    ],
)
def test_huber_losses_and_their_gradients(
    runs: dict[str, Run], tf: Any, block: str, make: Callable[[Run], Callable[..., Any]], threshold: float
) -> None:
    loss = make(runs[block])
    prediction = tf.Variable(Y_PRED)
    with tf.GradientTape() as tape:
        value = loss(Y_TRUE, prediction)
    np.testing.assert_allclose(value.numpy(), huber(Y_TRUE, Y_PRED, threshold), rtol=1e-6)
    slope = np.clip(Y_PRED - Y_TRUE, -threshold, threshold)
    np.testing.assert_allclose(tape.gradient(value, prediction).numpy(), slope, rtol=1e-6)


@pytest.mark.parametrize(("block", "threshold"), [("001-block5", 1.0), ("001-block7", 2.0)])
def test_loaded_model_is_the_saved_one(runs: dict[str, Run], block: str, threshold: float) -> None:
    run, data = runs[block], training_data()
    if run.error is not None:
        raise run.error
    saved, loaded = run.given["model"], run["model"]
    assert loaded is not saved
    x, y = data["X_train_scaled"], data["y_train"]
    predicted = np.asarray(saved(x))
    np.testing.assert_array_equal(np.asarray(loaded(x)), predicted)
    assert run.loss.__name__ == "huber_fn"
    model = compiled_model(run.loss)
    model.set_weights(loaded.get_weights())
    expected = huber(y, predicted, threshold).mean()
    np.testing.assert_allclose(model.evaluate(x, y, verbose=0), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("block", "get_loss", "threshold"),
    [
        ("001-block4", lambda run: run["huber_fn"], 1.0),
        ("001-block6", lambda run: run.loss, 2.0),
        ("001-block8", lambda run: run.loss, 2.0),
    ],
)
def test_models_train_on_the_losses(
    runs: dict[str, Run], block: str, get_loss: Callable[[Run], Any], threshold: float
) -> None:
    model, data = compiled_model(get_loss(runs[block])), training_data()
    x, y = data["X_train_scaled"], data["y_train"]
    history = train(model, epochs=3)
    assert history["loss"][0] > history["loss"][1] > history["loss"][2]
    expected = huber(y, np.asarray(model(x)), threshold).mean()
    np.testing.assert_allclose(model.evaluate(x, y, verbose=0), expected, rtol=1e-5)


def test_loading_without_the_custom_loss_names_it(runs: dict[str, Run], tf: Any, tmp_path: Path) -> None:
    _saved(runs["001-block4"]["huber_fn"], str(tmp_path / "model.keras"))
    with pytest.raises((TypeError, ValueError), match="huber_fn"):
        tf.keras.models.load_model(tmp_path / "model.keras")


def test_loss_class_keeps_its_threshold_in_the_file(runs: dict[str, Run], tf: Any, tmp_path: Path) -> None:
    run, data = runs["001-block8"], training_data()
    assert run.loss.threshold == 2.0
    model = compiled_model(run["HuberLoss"](2.0))
    train(model)
    model.save(tmp_path / "model.keras")
    loaded = tf.keras.models.load_model(
        tmp_path / "model.keras", custom_objects={"HuberLoss": run["HuberLoss"]}
    )
    assert isinstance(loaded.loss, run["HuberLoss"])
    assert loaded.loss.get_config()["threshold"] == 2.0
    x, y = data["X_train_scaled"], data["y_train"]
    expected = huber(y, np.asarray(model(x)), 2.0).mean()
    np.testing.assert_allclose(loaded.evaluate(x, y, verbose=0), expected, rtol=1e-5)


# ---- 001: activation, initializer, regularizers, constraint --------------------------------------------


def test_custom_parts_compute_their_formulas(runs: dict[str, Run], tf: Any) -> None:
    run = runs["001-block9"]
    z = np.array([-3.0, -0.5, 0.0, 2.0, 9.0], np.float32)
    np.testing.assert_allclose(run["my_softplus"](z).numpy(), np.log1p(np.exp(z)), rtol=1e-5)
    np.testing.assert_allclose(float(run["my_l1_regularizer"](z)), 0.01 * np.abs(z).sum(), rtol=1e-6)
    np.testing.assert_array_equal(run["my_positive_weights"](z).numpy(), np.maximum(z, 0))
    weights = run["my_glorot_initializer"]((300, 200)).numpy()
    assert weights.shape == (300, 200) and weights.dtype == np.float32
    np.testing.assert_allclose(weights.std(), np.sqrt(2 / 500), rtol=0.02)
    assert abs(weights.mean()) < 0.001
    with pytest.raises(tf.errors.InvalidArgumentError):
        run["my_softplus"](tf.constant([1, 2]))


def _parts(run: Run) -> dict[str, Any]:
    names = ("my_softplus", "my_glorot_initializer", "my_l1_regularizer", "my_positive_weights")
    return {name: run[name] for name in names}


def _model_of_parts(parts: dict[str, Any]) -> Any:
    return small_model(
        activation=parts["my_softplus"],
        kernel_initializer=parts["my_glorot_initializer"],
        kernel_regularizer=parts["my_l1_regularizer"],
        kernel_constraint=parts["my_positive_weights"],
    )


def test_custom_parts_together_in_a_layer_trained_one_step(runs: dict[str, Run], tf: Any) -> None:
    model, data = _model_of_parts(_parts(runs["001-block9"])), training_data()
    x, y = data["X_train_scaled"][:32], data["y_train"][:32]
    layer = model.layers[0]
    kernel, bias = layer.kernel.numpy(), layer.bias.numpy()
    assert kernel.min() < 0  # the initializer ran, and the constraint only acts after an update
    np.testing.assert_allclose(
        np.asarray(layer(x)), np.log1p(np.exp(x @ kernel + bias)), rtol=1e-5, atol=1e-6
    )
    np.testing.assert_allclose([float(v) for v in model.losses], [0.01 * np.abs(kernel).sum()], rtol=1e-5)

    optimizer = tf.keras.optimizers.SGD(learning_rate=0.01)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(y - model(x, training=True))) + model.losses[0]
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    expected = np.maximum(kernel - 0.01 * gradients[0].numpy(), 0)
    np.testing.assert_allclose(layer.kernel.numpy(), expected, rtol=1e-5, atol=1e-7)


def test_custom_parts_survive_fit_and_saving(runs: dict[str, Run], tf: Any, tmp_path: Path) -> None:
    parts = _parts(runs["001-block9"])
    model, x = _model_of_parts(parts), training_data()["X_train_scaled"]
    model.compile(loss="mse", optimizer="nadam", run_eagerly=True)
    history = train(model, epochs=3)
    assert history["loss"][-1] < history["loss"][0]
    assert model.layers[0].kernel.numpy().min() >= 0
    model.save(tmp_path / "model.keras")
    loaded = tf.keras.models.load_model(tmp_path / "model.keras", custom_objects=parts)
    np.testing.assert_array_equal(np.asarray(loaded(x)), np.asarray(model(x)))
    np.testing.assert_allclose(float(loaded.losses[0]), float(model.losses[0]), rtol=1e-6)
    assert loaded.layers[0].activation is parts["my_softplus"]


def test_regularizer_class_keeps_its_factor(runs: dict[str, Run], tf: Any, tmp_path: Path) -> None:
    regularizer_class = runs["001-block10"]["MyL1Regularizer"]
    regularizer = regularizer_class(0.01)
    again = regularizer_class.from_config(regularizer.get_config())
    assert regularizer.get_config() == again.get_config() == {"factor": 0.01}
    weights = np.array([[1.0, -2.0], [0.5, -4.0]], np.float32)
    np.testing.assert_allclose(float(again(weights)), 0.075, rtol=1e-6)
    assert float(again(weights)) == float(runs["001-block9"]["my_l1_regularizer"](weights))

    model = small_model(kernel_regularizer=regularizer_class(0.03))
    model.save(tmp_path / "model.keras")
    loaded = tf.keras.models.load_model(
        tmp_path / "model.keras", custom_objects={"MyL1Regularizer": regularizer_class}
    )
    assert loaded.layers[0].kernel_regularizer.factor == 0.03
    penalty = 0.03 * np.abs(model.layers[0].kernel.numpy()).sum()
    np.testing.assert_allclose(float(loaded.losses[0]), penalty, rtol=1e-5)


# ---- 001: metrics --------------------------------------------------------------------------------------


def test_function_as_metric(runs: dict[str, Run]) -> None:
    run, data = runs["001-block11"], training_data()
    x, y, model = data["X_train_scaled"], data["y_train"], run["model"]
    model.run_eagerly = True
    predicted = np.asarray(model(x))
    result = model.evaluate(x, y, verbose=0, return_dict=True)
    assert result.keys() == {"loss", "huber_fn"}
    np.testing.assert_allclose(result["huber_fn"], huber(y, predicted, 2.0).mean(), rtol=1e-5)
    np.testing.assert_allclose(result["loss"], np.mean((y - predicted) ** 2), rtol=1e-5)
    history = train(compiled_model("mse", metrics=[run["create_huber"](2.0)]), epochs=2)
    assert history["huber_fn"][1] < history["huber_fn"][0]


def test_precision_streams_over_batches(runs: dict[str, Run], tf: Any) -> None:
    metric = type(runs["001-block12"]["precision"])()
    rng = np.random.default_rng(3)
    hits = predicted = 0
    for _ in range(4):
        truth, guess = rng.integers(0, 2, size=(2, 11))
        metric.update_state(truth, guess)
        hits += int((truth & guess).sum())
        predicted += int(guess.sum())
        np.testing.assert_allclose(float(metric.result()), hits / predicted, rtol=1e-6)
    assert [float(v.numpy()[0]) for v in metric.variables] == [hits, predicted - hits]
    metric.reset_states()
    assert [float(v.numpy()[0]) for v in metric.variables] == [0.0, 0.0]


def test_streaming_metric_is_the_mean_over_all_values(runs: dict[str, Run]) -> None:
    metric_class = runs["001-block13"]["HuberMetric"]
    metric = metric_class(2.0)
    assert [v.path.rpartition("/")[2] for v in metric.variables] == ["total", "count"]
    for rows in (slice(0, 4), slice(4, 6)):
        metric(Y_TRUE[rows], Y_PRED[rows])
    expected = huber(Y_TRUE, Y_PRED, 2.0)
    np.testing.assert_allclose(float(metric.result()), expected.mean(), rtol=1e-6)
    np.testing.assert_allclose(float(metric.total.numpy()), expected.sum(), rtol=1e-6)
    assert float(metric.count.numpy()) == 6.0
    metric.reset_states()
    assert float(metric.count.numpy()) == 0.0
    again = metric_class.from_config(metric.get_config())
    assert again.threshold == 2.0 and again.name == metric.name


def test_streaming_metric_in_compile(runs: dict[str, Run], tf: Any, tmp_path: Path) -> None:
    metric_class, data = runs["001-block13"]["HuberMetric"], training_data()
    x, y = data["X_train_scaled"], data["y_train"]
    model = compiled_model("mse", metrics=[metric_class(2.0, name="huber")])
    history = train(model, epochs=2)
    assert history["huber"][1] < history["huber"][0]
    predicted = np.asarray(model(x))
    result = model.evaluate(x, y, batch_size=48, verbose=0, return_dict=True)
    np.testing.assert_allclose(result["huber"], huber(y, predicted, 2.0).mean(), rtol=1e-5)
    model.save(tmp_path / "model.keras")
    loaded = tf.keras.models.load_model(
        tmp_path / "model.keras", custom_objects={"HuberMetric": metric_class}
    )
    again = loaded.evaluate(x, y, batch_size=48, verbose=0, return_dict=True)
    np.testing.assert_allclose(again["huber"], result["huber"], rtol=1e-6)
