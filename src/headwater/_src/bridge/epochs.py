"""`fit`, `evaluate` and `predict` take many steps at a time where nobody could tell: whole epochs, if nobody watches.

Keras's TensorFlow trainer asks an epoch's iterator for its next batch, tells the callbacks, calls the step's function, tells the
callbacks again. Where the batches are rows of arrays in memory and no callback listens to single batches, the iterator gives
a `Run` instead, which stands for many batches, and the step's function takes a step for each of them (trace/stepping.py). To
Keras that looks like a larger `steps_per_execution`. Steps, their order, random numbers and results are those of single batches.

What is replaced: `fit`, `evaluate`, `predict` (wrapped, to know who is running) and the makers of the three functions of
TensorFlowTrainer, `__next__` and `_get_iterator` of TFEpochIterator. A Keras that has not these names is left as it is.
"""

from __future__ import annotations

import functools
import inspect
import threading
import time
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np

from headwater._src.base import flags, nest
from headwater._src.base.errors import InvalidArgumentError
from headwater._src.base.frames import without_library
from headwater._src.base.shapes import wrap
from headwater._src.core.graph import FuncGraph
from headwater._src.core.tensor import SymbolicTensor, of_array
from headwater._src.data.dataset import DatasetV2
from headwater._src.data.runs import Block, RunIterator, step_of, value_spec
from headwater._src.data.structure import from_components, packer, spec_of
from headwater._src.engine.cost import Choice
from headwater._src.engine.graph_copy import specialized
from headwater._src.engine.lower import REFUSES, has_effects
from headwater._src.ops.seeds import StreamHandle
from headwater._src.ops.surroundings import is_traceback_filtering_enabled
from headwater._src.trace.function import Function
from headwater._src.trace.report import Explanation
from headwater._src.trace.stepping import CompiledSteps, Steps, called, loops

WORTHWHILE = 64
"""Of fewer steps the time that a plan for them takes to make is not got back."""
_SHOWN_EVERY = 0.05
"""Seconds between two moves of a progress bar: Keras's own draws no more often."""
_FIRST_RUN = 8
"""Steps of a first run, from which the length of the others follows."""
_MOST_SHAPES = 4
"""For so many sizes of batches plans of their own are made; one more serves all others."""

_FUNCTIONS = {"train": "train_function", "test": "test_function", "predict": "predict_function"}


_OTHER_KERAS = "this version of Keras takes its steps in a way that is not known here"


class _Unfit(Exception):
    """Why steps are taken one by one."""


# -- who is running ---------------------------------------------------------------------------------------------------


class _Running(threading.local):
    def __init__(self) -> None:
        self.sessions: list[Session] = []


_running = _Running()


class Session:
    """A call of `fit`, `evaluate` or `predict` that is under way."""

    def __init__(self, model: Any, mode: str, given: dict[str, Any], around: Session | None) -> None:
        self.model, self.mode = model, mode
        self.epochs = int(given.get("epochs") or 1) if mode == "train" else 1
        if around is not None and around.model is model:
            self.epochs = around.epochs  # the validation of each epoch
        self.callbacks = given.get("callbacks")
        self.verbose = given.get("verbose", "auto")
        self.refused: Any = None
        """The iterator whose batches are taken one by one."""

    def next(self, epoch: Any, advance: Callable[[Any], Any]) -> Any:
        """What an epoch's iterator gives next: the numbers of the first and last batch, and the iterator or a run of it."""
        given = advance(epoch)
        runner = getattr(self.model, _FUNCTIONS[self.mode], None)
        if not isinstance(runner, _Runner) or len(given) != 3 or given[2] is self.refused:
            return given
        first, last, iterator = given
        at_once = last - first + 1
        try:
            left = self._left(epoch, first, at_once)
            self._check(runner, iterator, left * at_once)
            if not runner.is_ready(iterator):
                return given
            runner.ahead = left * at_once * self.epochs
        except _Unfit as unfit:
            self.refused = iterator
            runner.note(self.mode, str(unfit))
            return given
        for _ in range(self._length(runner.seconds * at_once, left) - 1):
            try:
                _, last, _ = advance(epoch)
            except StopIteration:
                break
        runner.note(self.mode, "")
        return first, last, Run(iterator, last - first + 1)

    # -- whether --------------------------------------------------------------------------------------------------------

    def _check(self, runner: _Runner, iterator: Any, steps: int) -> None:
        model = self.model
        if not flags.get("epochs_at_once"):
            raise _Unfit(
                "tf.config.experimental.set_epochs_at_once(False), or the variable of the environment, says so"
            )
        if model.run_eagerly or flags.get("run_functions_eagerly"):
            raise _Unfit("steps run eagerly")
        if getattr(model, "_distribute_strategy", None) is not None:
            raise _Unfit("the model was made in the scope of a tf.distribute strategy")
        listening = _listening(self.callbacks, self.mode)
        if listening:
            raise _Unfit(f"{listening} may want to know of every batch")
        if iterator.__class__ is not RunIterator or not iterator.in_memory:
            raise _Unfit("the batches are not rows of arrays in memory")
        if not runner.steps and steps * self.epochs < WORTHWHILE:
            raise _Unfit(f"{steps * self.epochs} steps are fewer than the {WORTHWHILE} from which it pays")

    def _left(self, epoch: Any, first: int, at_once: int) -> int:
        """How many times, this one included, the epoch's iterator will give something."""
        if not all(hasattr(epoch, name) for name in ("_num_batches", "_steps_seen", "steps_per_epoch")):
            raise _Unfit(_OTHER_KERAS)
        known = epoch._num_batches
        total = epoch.steps_per_epoch or known
        if not total:
            raise _Unfit("nobody knows how many batches there are")
        left = total - first
        if known:
            left = min(left, known - epoch._steps_seen + at_once)
        return max(1, -(-left // at_once))

    # -- how many -------------------------------------------------------------------------------------------------------

    def _length(self, seconds: float, left: int) -> int:
        if not self._shows_progress():
            return left
        return min(left, max(1, int(_SHOWN_EVERY / seconds) if seconds else _FIRST_RUN))

    def _shows_progress(self) -> bool:
        listed = _listed(self.callbacks)
        bars = [c for c in listed if type(c).__name__ == "ProgbarLogger"]
        if hasattr(self.callbacks, "callbacks"):
            return any(b.verbose == 1 and (self.mode != "test" or not b._called_in_fit) for b in bars)
        return bool(bars) or self.verbose in (1, "auto")


def _listed(callbacks: Any) -> list[Any]:
    if callbacks is None:
        return []
    found = getattr(callbacks, "callbacks", callbacks)
    return list(found) if isinstance(found, (list, tuple)) else [found]


def _listening(callbacks: Any, mode: str) -> str:
    """The names of the callbacks that are told of single batches and do something about it."""
    names = [type(c).__name__ for c in _listed(callbacks) if _listens(c, mode)]
    if hasattr(callbacks, "callbacks") and type(callbacks).__module__.partition(".")[0] != "keras":
        names.append(type(callbacks).__name__)
    return ", ".join(names)


def _listens(callback: Any, mode: str) -> bool:
    kind = type(callback)
    if kind.__module__.partition(".")[0] == "keras":
        if kind.__name__ in ("ProgbarLogger", "History"):
            return False
        if kind.__name__ in ("ModelCheckpoint", "BackupAndRestore") and callback.save_freq == "epoch":
            return False
    hooks = ("on_batch_begin", "on_batch_end", f"on_{mode}_batch_begin", f"on_{mode}_batch_end")
    return any(not getattr(getattr(callback, hook, None), "_is_default", False) for hook in hooks)


# -- taking the steps -------------------------------------------------------------------------------------------------


class Run:
    """Stands for the next `count` batches of an iterator."""

    def __init__(self, iterator: RunIterator, count: int) -> None:
        self.iterator, self.count = iterator, count
        self.given = False

    def __iter__(self) -> Run:
        return self

    def __next__(self) -> Run:
        """Itself, once: so `predict`, which takes the batches out of the iterator, hands it on."""
        if self.given:
            raise StopIteration
        self.given = True
        return self

    def blocks(self) -> Iterator[Block]:
        """The batches, as blocks of rows."""
        left = self.count
        while left > 0 and (block := self.iterator.read(left)) is not None:
            left -= len(block)
            yield block


class _Runner:
    """A trainer's function of one step, which takes many when it is given a `Run`; in all else it is the trainer's."""

    compiles = True
    """Whether XLA may loop over the steps."""

    def __init__(self, model: Any, function: Any) -> None:
        self._model = model
        self._function = function
        self.steps: dict[Any, Any] = {}
        """What takes the steps, by the graph and the shapes of a batch; one without shapes is for all others."""
        self._seen: dict[str, str | None] = {}
        """Of the elements for which a step was taken: why they can't be taken many at a time, or "" where they can."""
        self.seconds = 0.0
        """What a step took in the last run."""
        self.ahead = 0
        """So many steps are to come, as far as one knows."""
        self._mode = self._reason = ""
        self._runs = self._taken = 0

    def __getattr__(self, name: str) -> Any:
        if name == "_function":
            raise AttributeError(name)
        return getattr(self._function, name)

    def __call__(self, data: Any, *args: Any, **kwargs: Any) -> Any:
        """One step, or those of a run."""
        run = self._run_in(data)
        if run is None:
            return self._function(data, *args, **kwargs)
        start = time.perf_counter()
        try:
            results = self._take(run)
            self.seconds = (time.perf_counter() - start) / run.count
            return results
        except StopIteration:
            raise
        except Exception as error:
            if not is_traceback_filtering_enabled():
                raise
            raise error.with_traceback(without_library(error.__traceback__)) from error.__cause__

    def is_ready(self, iterator: Any) -> bool:
        """Whether a step was taken for such elements: the first one goes the usual way, which traces the function.

        Raises:
          _Unfit: its steps must be taken one by one.
        """
        key = repr(iterator.element_spec)
        if key not in self._seen:
            self._seen[key] = None
            return False
        if self._seen[key] is None:
            try:
                self._prepare(iterator)
            except _Unfit as unfit:
                self._seen[key] = str(unfit)
            else:
                self._seen[key] = ""
        if self._seen[key]:
            raise _Unfit(self._seen[key])
        return True

    def _prepare(self, iterator: Any) -> None:
        raise NotImplementedError

    def _run_in(self, data: Any) -> Run | None:
        return data if data.__class__ is Run else None

    def _take(self, run: Run) -> Any:
        raise NotImplementedError

    def _steps_for(self, graph: FuncGraph, block: Block) -> Any:
        """What takes the steps for batches of a block's size."""
        several = self.compiles and len(block) > 1
        loop = several and self._model.jit_compile
        shapes: Any = [c.shape for c in block.first()]
        key: Any = (graph, loop, *shapes)
        if key not in self.steps and len(self.steps) >= _MOST_SHAPES:
            key, shapes = (graph, False), None
        found = self.steps.get(key)
        if found is None:
            closed = graph if shapes is None else specialized(graph, shapes)
            compiled = shapes is not None and loop and loops(closed)
            found = self.steps[key] = CompiledSteps(closed) if compiled else Steps(closed)
        if several and found.__class__ is Steps and found.pays(self.ahead):
            found = self.steps[key] = found.compiled(self.ahead)
        return found

    def _stepped(self, graph: FuncGraph, block: Block) -> Any:
        """The results of the last of the steps for a block."""
        steps = self._steps_for(graph, block)
        try:
            return steps.run(*block)
        except InvalidArgumentError as error:
            if not isinstance(steps, CompiledSteps) or REFUSES not in error.message:
                raise
            plan = Steps(steps.closed, Choice("plan", "XLA refuses to loop over them"))
            self.steps = {k: plan if s is steps else s for k, s in self.steps.items()}
            return self._stepped(graph, block)

    # -- telling --------------------------------------------------------------------------------------------------------

    def note(self, mode: str, reason: str, taken: int = 0) -> None:
        """Notes for `explain` what a call did."""
        if mode != self._mode or reason != self._reason:
            self._runs = self._taken = 0
        self._mode, self._reason = mode, reason
        self._runs += bool(taken)
        self._taken += taken

    def explain(self) -> Explanation:
        """Text that tells whether the last call took many steps at a time, and why, or why not."""
        if not self._mode:
            return Explanation("No step was taken yet.")
        name = {"train": "fit", "test": "evaluate", "predict": "predict"}[self._mode]
        if self._reason:
            return Explanation(f"{name} takes its steps one by one: {self._reason}.")
        lines = [
            f"{name} takes many steps at a time: {self._taken} in {self._runs} run{'s' * (self._runs != 1)} so far.",
            "why: the batches are rows of arrays in memory, and no callback listens to single batches",
            *(f"for a batch of {_text(s.closed)}: {s.how}" for s in self.steps.values()),
        ]
        return Explanation("\n".join(lines))


def _text(closed: FuncGraph) -> str:
    return ", ".join(f"{t._np_dtype.name}{wrap(t._shape)}" for t in closed.args)


def _check_effects(closed: FuncGraph) -> None:
    for node in closed.nodes:
        if has_effects(node):
            where = f", made at {node.line}" if node.line is not None else ""
            raise _Unfit(f"a step does more than compute: {node.name!r} ({node.type}){where}")


class _IteratorRunner(_Runner):
    """`train_function` and `test_function`, which take an iterator."""

    def __init__(self, model: Any, function: Any) -> None:
        super().__init__(model, function)
        self._graphs: dict[str, tuple[FuncGraph, Any]] = {}
        """The step as a graph of an element, and the specification of its results, by the element's specification."""

    def _prepare(self, iterator: Any) -> None:
        of_iterator = _free_variable(self._function, "multi_step_on_iterator")
        of_one = getattr(_free_variable(self._function, "one_step_on_data"), "__wrapped__", None)
        if not isinstance(of_iterator, Function) or not isinstance(of_one, Function):
            raise _Unfit(_OTHER_KERAS)
        if self._model.steps_per_execution == 1:
            traced = of_iterator.get_concrete_function(iterator).graph
            step = step_of(traced)
            if step is None:
                raise _Unfit(_OTHER_KERAS)
            spec = value_spec(traced)
        else:
            # The trainer's function is a loop then; the step was traced within it.
            concrete = of_one.get_concrete_function(iterator.element_spec)
            if any(isinstance(h, StreamHandle) for h in concrete.graph.read_handles):
                raise _Unfit(
                    "steps_per_execution is not 1, and a step draws from streams that belong to the loop"
                )
            step = called(concrete._function)
            spec = nest.map_structure(spec_of, concrete.structured_outputs)
        _check_effects(step)
        self._graphs[repr(iterator.element_spec)] = step, spec

    def _take(self, run: Run) -> Any:
        graph, spec = self._graphs[repr(run.iterator.element_spec)]
        results, taken = None, 0
        for block in run.blocks():
            for part in block.parts():
                results = self._stepped(graph, part)
            taken += len(block)
        if results is None:
            raise StopIteration
        self.note(self._mode, "", taken)
        return from_components(spec, iter([of_array(r) for r in results]))


def _free_variable(function: Any, name: str) -> Any:
    """What a closure knows under a name; None if it knows nothing."""
    code = getattr(function, "__code__", None)
    if code is None or name not in code.co_freevars:
        return None
    return function.__closure__[code.co_freevars.index(name)].cell_contents


class _PredictRunner(_Runner):
    """`predict_function`, which takes a list with an element in it."""

    compiles = False

    def _run_in(self, data: Any) -> Run | None:
        return data[0] if data.__class__ is list and data and data[0].__class__ is Run else None

    def _prepare(self, iterator: Any) -> None:
        if not isinstance(self._function, Function):
            raise _Unfit(_OTHER_KERAS)
        for concrete in self._function._list_all_concrete_functions():
            _check_effects(concrete.graph)
            if not all(map(_is_rows, nest.flatten(concrete.structured_outputs))):
                raise _Unfit("an output is not a dense tensor with a row for each row of the batch")

    def _take(self, run: Run) -> Any:
        pack = packer(run.iterator.element_spec)
        kept: list[Any] = []
        taken = 0
        concrete: Any = None
        for block in run.blocks():
            for part in block.parts():
                tensors = [of_array(c) for c in part.first()]
                element = [pack(tensors)]
                concrete = self._function.get_concrete_function(element)
                order, _ = concrete.flat_arguments([element])
                places = [next(i for i, t in enumerate(tensors) if t is given) for given in order]
                columns = [part.columns[i] for i in places]
                self._steps_for(concrete.graph, Block(columns, part.size)).run(columns, part.size, kept)
            taken += len(block)
        if concrete is None:
            raise StopIteration
        self.note(self._mode, "", taken)
        results = [of_array(np.concatenate(parts)) for parts in zip(*kept, strict=True)]
        return concrete._output_type.from_tensors(iter(results))


def _is_rows(output: Any) -> bool:
    """Whether the outputs of several batches can be put one after the other."""
    return isinstance(output, SymbolicTensor) and bool(output._shape) and None not in output._shape[1:]


# -- Keras's trainer --------------------------------------------------------------------------------------------------


def finish(trainer: ModuleType) -> None:
    """Adds all this to Keras's module of the TensorFlow trainer, if it is one of those that this was written for."""
    cls: Any = getattr(trainer, "TensorFlowTrainer", None)
    iterator: Any = getattr(trainer, "TFEpochIterator", None)
    if any(not hasattr(cls, n) for n in _OF_TRAINER) or any(not hasattr(iterator, n) for n in _OF_ITERATOR):
        return
    for method, mode in (("fit", "train"), ("evaluate", "test"), ("predict", "predict")):
        setattr(cls, method, _announced(getattr(cls, method), mode))
    cls.make_train_function = _making(cls.make_train_function, "train_function", _IteratorRunner)
    cls.make_test_function = _making(cls.make_test_function, "test_function", _IteratorRunner)
    cls.make_predict_function = _making(cls.make_predict_function, "predict_function", _PredictRunner)
    iterator.__next__ = _next(iterator.__next__)
    iterator._get_iterator = _in_runs(iterator._get_iterator)


_OF_TRAINER = (
    "fit", "evaluate", "predict", "make_train_function", "make_test_function", "make_predict_function"
)  # fmt: skip
_OF_ITERATOR = ("__next__", "_get_iterator", "_enumerate_iterator")


def _announced(method: Any, mode: str) -> Any:
    """`fit`, `evaluate` or `predict`, with what is under way known to `__next__`."""
    signature = inspect.signature(method)

    @functools.wraps(method)
    def wrapped(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            given = signature.bind(self, *args, **kwargs).arguments
        except TypeError:  # the method itself says what is wrong
            return method(self, *args, **kwargs)
        sessions = _running.sessions
        sessions.append(Session(self, mode, given, sessions[-1] if sessions else None))
        try:
            return method(self, *args, **kwargs)
        finally:
            sessions.pop()

    return wrapped


def _making(make: Any, name: str, runner: type[_Runner]) -> Any:
    """The maker of a function of one step, which then is a runner."""

    @functools.wraps(make)
    def wrapped(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = make(self, *args, **kwargs)
        function = getattr(self, name)
        if function is not None and not isinstance(function, _Runner):
            setattr(self, name, runner(self, function))
        return result

    return wrapped


def _next(advance: Any) -> Any:
    @functools.wraps(advance)
    def wrapped(self: Any) -> Any:
        sessions = _running.sessions
        return sessions[-1].next(self, advance) if sessions else advance(self)

    return wrapped


class _Runs:
    """A data set whose iterators give many batches at once, where they can."""

    def __init__(self, dataset: DatasetV2) -> None:
        self.dataset = dataset

    def __iter__(self) -> RunIterator:
        return RunIterator(self.dataset)


def _in_runs(get_iterator: Any) -> Any:
    @functools.wraps(get_iterator)
    def wrapped(self: Any) -> Any:
        dataset = get_iterator(self)
        plain = type(dataset).__iter__ is DatasetV2.__iter__ and flags.get("epochs_at_once")
        return _Runs(dataset) if plain else dataset

    return wrapped
