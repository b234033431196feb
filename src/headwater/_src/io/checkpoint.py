"""`tf.train.Checkpoint`: the values of objects, and of all that they depend on, in files and back."""

from __future__ import annotations

import abc
import copy
import inspect
import os
import threading
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from headwater._src.base.errors import DataLossError, NotFoundError
from headwater._src.base.exporting import export
from headwater._src.base.text import describe
from headwater._src.core.context import ctx
from headwater._src.core.convert import convert
from headwater._src.core.tensor import of_array
from headwater._src.engine.tape import outside_graphs
from headwater._src.io.bundle import BundleReader, write_bundle
from headwater._src.io.checkpoint_files import path_of, update_state
from headwater._src.io.object_graph import (
    GRAPH_KEY,
    Descendants,
    children_of,
    descendants,
    full_name,
    graph_bytes,
    has_values,
    node_names,
    saved_form,
)
from headwater._src.io.restoring import Restoration, update_of
from headwater._src.state.tracking import AutoTrackable, Trackable
from headwater._src.state.variable import Variable


@export("train.CheckpointOptions")
class CheckpointOptions:
    """How a checkpoint is written or read.

    Args:
      experimental_io_device: accepted; files are read and written by this process.
      experimental_enable_async_checkpoint: the same as `enable_async`.
      experimental_write_callbacks: functions that are called after a checkpoint was written, with its path or without arguments.
      enable_async: write in a thread of its own, from the values at the time of the call.
      experimental_skip_slot_variables: whether `assert_consumed` overlooks the variables that an optimizer of TensorFlow 1 kept for
        others; they are not restored.
      experimental_sharding_callback: None; a checkpoint is one data file.

    Raises:
      AssertionError: a callback takes more than one argument.
      NotImplementedError: there is a sharding callback.
    """

    def __init__(
        self, experimental_io_device: Any = None, experimental_enable_async_checkpoint: bool = False,
        experimental_write_callbacks: Any = None, enable_async: bool = False,
        experimental_skip_slot_variables: bool = False, experimental_sharding_callback: Any = None,
    ) -> None:  # fmt: skip
        if experimental_sharding_callback is not None:
            raise NotImplementedError(
                "tf.train.CheckpointOptions: sharding callbacks are not in this version of headwater; a checkpoint is written to "
                "one data file (those of several are read)."
            )
        for callback in experimental_write_callbacks or ():
            if len(inspect.signature(callback).parameters) > 1:
                raise AssertionError(
                    f"tf.train.CheckpointOptions: a write callback takes the path or nothing; {callback!r} takes more."
                )
        self.experimental_io_device = experimental_io_device
        self.enable_async = bool(enable_async or experimental_enable_async_checkpoint)
        self.experimental_enable_async_checkpoint = self.enable_async
        self.experimental_write_callbacks = experimental_write_callbacks
        self.experimental_skip_slot_variables = experimental_skip_slot_variables
        self.experimental_sharding_callback = experimental_sharding_callback

    def with_callback(self, callback: Callable[..., Any]) -> CheckpointOptions:
        """A copy with one more write callback."""
        made = copy.copy(self)
        made.experimental_write_callbacks = [*(self.experimental_write_callbacks or ()), callback]
        return made


def _called(callback: Callable[..., Any], path: str) -> None:
    callback(path) if inspect.signature(callback).parameters else callback()


# -- what restoring has done ----------------------------------------------------------------------------------------------


class CheckpointLoadStatus:
    """What `Checkpoint.restore` returns: assertions about what was and what is still to be restored."""

    def __init__(self, restoration: Restoration, checkpoint: Checkpoint, skip_slots: bool) -> None:
        self._restoration = restoration
        self._checkpoint = checkpoint
        slots = {slot.variable for node in restoration.nodes for slot in node.slots}
        self._skipped = slots if skip_slots else set()

    def _unmatched(self) -> list[str]:
        """The ways to the program's objects with values of their own that are not in the checkpoint."""
        matched = {id(obj) for obj in self._restoration.objects()}
        found = self._checkpoint._descendants()
        return [
            ".".join(path) or "the root"
            for obj, path in zip(found.objects, found.paths, strict=True)
            if has_values(obj) and id(obj) not in matched
        ]

    def assert_consumed(self) -> CheckpointLoadStatus:
        """Returns this status if every value of the checkpoint has found its object, and every object its value.

        Raises:
          AssertionError: it is not so; the message names what is left.
        """
        self.assert_existing_objects_matched()
        restoration = self._restoration
        names = node_names(restoration.nodes)
        left = [
            names[i]
            for i, node in enumerate(restoration.nodes)
            if node.attributes and restoration.object(i) is None and i not in self._skipped
        ]
        left += [f"{names[i]} ({', '.join(values)})" for i, values in restoration.unused.items()]
        if left:
            raise AssertionError(
                f"{len(left)} values of the checkpoint {restoration.reader.prefix} have no object (yet): {', '.join(left[:10])}"
                f"{', ...' if len(left) > 10 else ''}. Create the objects first, or use expect_partial()."
            )
        return self

    def assert_existing_objects_matched(self) -> CheckpointLoadStatus:
        """Returns this status if every object there is has its value; what was not created yet may be missing.

        Raises:
          AssertionError: an object has no value in the checkpoint.
        """
        for obj in self._restoration.objects():
            if update_of(obj) < self._restoration.uid:
                raise AssertionError(f"{describe(obj)} has not got its value from the checkpoint.")
        left = self._unmatched()
        if left:
            raise AssertionError(
                f"{len(left)} objects have no value in the checkpoint {self._restoration.reader.prefix}: "
                f"{', '.join(left[:10])}. Did the program change since it was written?"
            )
        return self

    def assert_nontrivial_match(self) -> CheckpointLoadStatus:
        """Returns this status if anything but the root was found in the checkpoint.

        Raises:
          AssertionError: nothing was.
        """
        if len(list(self._restoration.objects())) <= 1:
            raise AssertionError(
                f"Nothing but the root object is in the checkpoint {self._restoration.reader.prefix}: it does not fit the program, "
                "or nothing was tracked yet."
            )
        return self

    def expect_partial(self) -> CheckpointLoadStatus:
        """Returns this status; from now on nothing is said where parts of the checkpoint are never used."""
        self._restoration.partial = True
        return self

    def initialize_or_restore(self, session: Any = None) -> None:
        """Nothing is left to do: values are restored at once."""

    run_restore_ops = initialize_or_restore


class InitializationOnlyStatus:
    """What `Checkpoint.restore(None)` returns: nothing was restored."""

    def _nothing(self, session: Any = None) -> Any:
        """Raises AssertionError."""
        raise AssertionError("No checkpoint was named (save_path=None), so nothing has been restored.")

    assert_consumed = assert_existing_objects_matched = assert_nontrivial_match = run_restore_ops = _nothing

    def expect_partial(self) -> InitializationOnlyStatus:
        """Returns this status."""
        return self

    def initialize_or_restore(self, session: Any = None) -> None:
        """Nothing is left to do: variables have their initial values."""


class NameBasedSaverStatus:
    """What `Checkpoint.restore` returns for a checkpoint of TensorFlow 1's saver, which knows variables by their names: those that
    exist have been restored.

    Raises:
      ValueError, InvalidArgumentError: a value's shape or dtype is not that of its variable.
    """

    def __init__(self, reader: BundleReader, checkpoint: Checkpoint) -> None:
        self._prefix, self._checkpoint = reader.prefix, checkpoint
        found = [o for o in checkpoint._descendants().objects if has_values(o) and full_name(o) in reader]
        for variable, value in zip(found, list(reader.tensors(map(full_name, found))), strict=True):
            variable._restore_from_tensors({"VARIABLE_VALUE": of_array(value)})
        self._restored = {id(variable): variable for variable in found}

    def assert_consumed(self) -> NameBasedSaverStatus:
        """Returns this status if every object has been restored.

        Raises:
          AssertionError: one has not; the message names it.
        """
        found = self._checkpoint._descendants()
        known = {*self._restored, id(self._checkpoint._counter)}
        left = [
            f"{'.'.join(path)} ({full_name(obj) or 'no variable'})"
            for obj, path in zip(found.objects, found.paths, strict=True)
            if has_values(obj) and id(obj) not in known
        ]
        if left:
            raise AssertionError(
                f"{len(left)} objects have no value in the checkpoint {self._prefix}, which names variables as TensorFlow 1 did: "
                f"{', '.join(left[:10])}."
            )
        return self

    assert_existing_objects_matched = assert_nontrivial_match = assert_consumed

    def expect_partial(self) -> NameBasedSaverStatus:
        """Returns this status."""
        return self

    def initialize_or_restore(self, session: Any = None) -> None:
        """Nothing is left to do: values are restored at once."""

    run_restore_ops = initialize_or_restore


# -- checkpoints ----------------------------------------------------------------------------------------------------------


@export("train.Checkpoint")
class Checkpoint(AutoTrackable):
    """Saves and restores the values of objects and of all they depend on, in TensorFlow's files.

    What an object depends on are variables, modules, layers, optimizers, lookup tables, random generators and iterators in its
    attributes, also inside lists, dictionaries and tuples. Values find their objects by the names on the way there, not by
    the order of creation; objects that are made after `restore` get their values when they are assigned to an attribute.

    Args:
      root: an object whose dependencies are those of the checkpoint; the checkpoint itself by default.
      **kwargs: further dependencies, by name.

    Raises:
      ValueError: something given can't be tracked, or a name is that of another dependency of `root`.

    >>> step = tf.Variable(0)
    >>> checkpoint = tf.train.Checkpoint(step=step)
    >>> path = checkpoint.save("training/ckpt")
    >>> checkpoint.restore(path).assert_consumed()
    """

    _attached: dict[str, Any] | None
    """Dependencies of the root that it does not know itself; None where the checkpoint is the root."""
    _counter: Variable | None
    _writing: _Writing | None

    def __init__(self, root: Any = None, **kwargs: Any) -> None:
        # These are set in the dictionary: they are no dependencies.
        own = self.__dict__
        own["_counter"], own["_attached"], own["_writing"] = None, None, None
        if root is not None:
            root = root() if isinstance(root, weakref.ref) else root
            own["_attached"] = {}
            self._check(root, "root")
            own["_counter"] = root._lookup_dependency("save_counter")
            kwargs["root"] = root
        for name, value in sorted(kwargs.items()):
            setattr(self, name, value() if isinstance(value, weakref.ref) else value)
            given = self._check(getattr(self, name), name)
            if self._attached is None:
                continue
            known = root._lookup_dependency(name)
            if known is None:
                self._attached[name] = given
            elif known is not given:
                raise ValueError(
                    f"tf.train.Checkpoint: root.{name} is another object than the argument {name!r}. Give one of them."
                )

    def _check(self, value: Any, name: str) -> Trackable:
        if not isinstance(value, Trackable):
            raise ValueError(
                f"tf.train.Checkpoint: {name!r} must be an object with values to save, such as a variable, a module, a layer or a "
                f"list of these; got {describe(value)}."
            )
        return value

    # -- the objects --------------------------------------------------------------------------------------------------

    @property
    def _top(self) -> Trackable:
        return self if self._attached is None else self.root  # type: ignore[attr-defined, no-any-return]

    def _descendants(self) -> Descendants:
        top, attached = self._top, self._attached or {}
        return descendants(top, lambda obj: {**children_of(obj), **(attached if obj is top else {})})

    @property
    def save_counter(self) -> Variable:
        """How often `save` was called, an int64 variable, which numbers the checkpoints."""
        if self._counter is None:
            with outside_graphs():
                counter = Variable(np.int64(0), trainable=False, name="save_counter")
            self.__dict__["_counter"] = counter
            self._track_trackable(counter, "save_counter")
            if self._attached is not None:
                self._attached["save_counter"] = counter
                self._top._handle_deferred_dependencies("save_counter", counter)
            return counter
        return self._counter

    # -- writing ------------------------------------------------------------------------------------------------------

    def write(self, file_prefix: Any, options: CheckpointOptions | None = None) -> str:
        """Writes `file_prefix.index` and `file_prefix.data-00000-of-00001`; returns `file_prefix`.

        Nothing is numbered, and `tf.train.latest_checkpoint` does not see it; read it with `read`.

        Args:
          file_prefix: the path; directories on it are made.
          options: see `tf.train.CheckpointOptions`.

        Raises:
          NotImplementedError: called while a function is traced.
          ValueError: a list or dictionary in an attribute was changed such that its elements can't be told by name.
        """
        if ctx.graph is not None:
            raise NotImplementedError(
                "tf.train.Checkpoint can't be written inside a tf.function: variables have their new values only after the call. "
                "Write it between calls."
            )
        prefix = path_of(file_prefix)
        options = options or CheckpointOptions()
        nodes, tensors = saved_form(self._descendants())
        arrays = {key: np.asarray(convert(value)._array) for key, value in tensors.items()}  # type: ignore[attr-defined]
        graph = np.empty((), object)
        graph[()] = graph_bytes(nodes)
        arrays[GRAPH_KEY] = graph
        self.sync()
        if options.enable_async:
            self.__dict__["_writing"] = _Writing(lambda: _write(prefix, arrays, options))
        else:
            _write(prefix, arrays, options)
        return prefix

    def save(self, file_prefix: Any, options: CheckpointOptions | None = None) -> str:
        """Writes a checkpoint under the next number and makes it the latest of its directory.

        Args:
          file_prefix: the path without the number; "a/ckpt" gives "a/ckpt-1", "a/ckpt-2", ...
          options: see `tf.train.CheckpointOptions`.

        Returns:
          The path with the number, for `restore`.

        Raises:
          NotImplementedError: called while a function is traced.
        """
        if ctx.graph is not None:
            raise NotImplementedError("tf.train.Checkpoint.save can't be called inside a tf.function.")
        number = int(self.save_counter.assign_add(1))
        options = (options or CheckpointOptions()).with_callback(
            lambda path: update_state(os.path.dirname(path), path, [path])
        )
        return self.write(f"{path_of(file_prefix)}-{number}", options)

    def sync(self) -> None:
        """Waits for what is still being written; an error of that is raised here."""
        writing, self.__dict__["_writing"] = self._writing, None
        if writing is not None:
            writing.wait()

    # -- restoring ----------------------------------------------------------------------------------------------------

    def read(self, save_path: Any, options: CheckpointOptions | None = None) -> Any:
        """The same as `restore`, for checkpoints of `write`, which have no number."""
        self.sync()
        if save_path is None:
            return InitializationOnlyStatus()
        with outside_graphs():
            reader = BundleReader(path_of(save_path))
            if GRAPH_KEY not in reader:
                return NameBasedSaverStatus(reader, self)
            restoration = Restoration(reader)
            top = self._top
            restoration.bind(0, top)
            restoration.restore_from(0, top, self._attached)
        return CheckpointLoadStatus(
            restoration, self, skip_slots=bool(options and options.experimental_skip_slot_variables)
        )

    def restore(self, save_path: Any, options: CheckpointOptions | None = None) -> Any:
        """Gives the objects the values of a checkpoint; those that don't exist yet get theirs when they are assigned.

        Args:
          save_path: what `save` or `tf.train.latest_checkpoint` returned, or the directory of a SavedModel; None does nothing.
          options: see `tf.train.CheckpointOptions`.

        Returns:
          A status with the methods `assert_consumed`, `assert_existing_objects_matched`, `assert_nontrivial_match` and
          `expect_partial`.

        Raises:
          NotFoundError: there is no such checkpoint, or it has none of the values that an object needs.
          DataLossError: a file is damaged.
          ValueError, InvalidArgumentError: a value's shape or dtype is not that of its variable.
        """
        path = None if save_path is None else path_of(save_path)
        if path is not None and os.path.isdir(path):
            if not os.path.exists(os.path.join(path, "saved_model.pb")):
                raise DataLossError(
                    None, None, f"{path} is a directory; tf.train.latest_checkpoint({path!r}) names the checkpoint in it."
                )  # fmt: skip
            path = os.path.join(path, "variables", "variables")
        try:
            status = self.read(path, options)
        except NotFoundError as error:
            raise NotFoundError(
                None, None, f"{error.message} (restoring from {save_path!s}; the path ends with the number, as in 'ckpt-1')."
            ) from None  # fmt: skip
        _ = self.save_counter
        return status


def _write(prefix: str, arrays: dict[str, Any], options: CheckpointOptions) -> None:
    write_bundle(prefix, arrays)
    for callback in options.experimental_write_callbacks or ():
        _called(callback, prefix)


class _Writing:
    """A checkpoint that is being written by a thread."""

    def __init__(self, write: Callable[[], None]) -> None:
        self._error: BaseException | None = None
        self._write = write
        self._thread = threading.Thread(target=self._run, name="headwater-checkpoint")
        self._thread.start()

    def _run(self) -> None:
        try:
            self._write()
        except BaseException as error:
            self._error = error

    def wait(self) -> None:
        """Returns when it is done; raises what went wrong."""
        self._thread.join()
        if self._error is not None:
            raise self._error


# -- values of one's own --------------------------------------------------------------------------------------------------


@export("train.experimental.PythonState")
class PythonState(Trackable, abc.ABC):
    """Base of objects whose values checkpoints keep as a string: subclasses define `serialize` and `deserialize`."""

    @abc.abstractmethod
    def serialize(self) -> Any:
        """The values as a string, bytes or text."""

    @abc.abstractmethod
    def deserialize(self, string_value: bytes) -> None:
        """Takes over what `serialize` gave."""

    def _serialize_to_tensors(self) -> dict[str, Any]:
        value = self.serialize()
        out = np.empty((), object)
        out[()] = value.encode() if isinstance(value, str) else bytes(value)
        return {"py_state": of_array(out)}

    def _restore_from_tensors(self, restored_tensors: dict[str, Any]) -> None:
        self.deserialize(restored_tensors["py_state"].numpy())
