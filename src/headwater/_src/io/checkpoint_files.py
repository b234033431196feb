"""Checkpoints as files: reading their tensors, and the file named "checkpoint" that says which is the latest of a directory.

That file is a protocol buffer (CheckpointState) in text form: lines of `name: value`.
"""

from __future__ import annotations

import logging
import os
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

from headwater._src.base.dtypes import DType
from headwater._src.base.exporting import export
from headwater._src.io.bundle import BundleReader
from headwater._src.io.example import quoted
from headwater._src.io.gfile import _path, write_whole

_LOG = logging.getLogger("headwater")
_MAX_STATE = 1 << 26
_STRINGS = ("model_checkpoint_path", "all_model_checkpoint_paths")
_NUMBERS = ("all_model_checkpoint_timestamps", "last_preserved_timestamp")


def path_of(path: Any) -> str:
    """A path as str; `file://` is dropped."""
    return _path(os.fspath(path) if isinstance(path, os.PathLike) else path)


# -- the state of a directory ---------------------------------------------------------------------------------------------


class CheckpointState:
    """What the file "checkpoint" says: the latest checkpoint, all that are kept, when they were written, and when the last one
    that is kept for ever was. Times are seconds since 1970."""

    def __init__(
        self, model_checkpoint_path: str = "", all_model_checkpoint_paths: Any = (),
        all_model_checkpoint_timestamps: Any = (), last_preserved_timestamp: float = 0.0,
    ) -> None:  # fmt: skip
        self.model_checkpoint_path = model_checkpoint_path
        self.all_model_checkpoint_paths = list(all_model_checkpoint_paths)
        self.all_model_checkpoint_timestamps = list(all_model_checkpoint_timestamps)
        self.last_preserved_timestamp = last_preserved_timestamp

    def _lines(self, text: Callable[[str], str]) -> Iterator[str]:
        for name in (*_STRINGS, *_NUMBERS):
            value = getattr(self, name)
            for one in value if isinstance(value, list) else [value] if value else []:
                yield f"{name}: {text(one) if name in _STRINGS else repr(float(one)).removesuffix('.0')}\n"

    def __repr__(self) -> str:
        return "".join(self._lines(lambda one: f'"{one}"'))

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CheckpointState) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]


_TOKEN = re.compile(
    r"""(?:\s|\#[^\n]*)*(?:(?P<name>[A-Za-z_]\w*)|(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')"""
    r"""|(?P<number>[-+]?[0-9.][-+.\w]*)|(?P<sign>[:\[\],;])|(?P<end>\Z))"""
)
_ESCAPE = re.compile(rb"\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|(.))", re.DOTALL)
_SIMPLE = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}


def _unescaped(literal: str) -> str:
    def replaced(found: re.Match[bytes]) -> bytes:
        if found[1] or found[2]:
            return bytes([int(found[1] or found[2], 8 if found[1] else 16) & 255])
        return _SIMPLE.get(found[3], found[3])

    return _ESCAPE.sub(replaced, literal[1:-1].encode()).decode()


def _parsed(text: str) -> CheckpointState:
    """The state in text form; ValueError where it is none."""
    state = CheckpointState()
    at, name, separated = 0, "", True
    while True:
        found = _TOKEN.match(text, at)
        if found is None:
            raise ValueError(f"{text[at : at + 20]!r} is not expected here")
        at = found.end()
        if found["end"] is not None:
            return state
        if found["name"]:
            name, separated = found["name"], False
            if name not in _STRINGS and name not in _NUMBERS:
                raise ValueError(f"there is no field {name!r}")
        elif found["sign"]:
            separated = separated or found["sign"] == ":"
        elif not name or not separated or bool(found["text"]) != (name in _STRINGS):
            raise ValueError(f"{found[0].strip()!r} is no value of {name!r}")
        else:
            value = _unescaped(found["text"]) if found["text"] else float(found["number"])
            known = getattr(state, name)
            known.append(value) if isinstance(known, list) else setattr(state, name, value)


def _literal(text: str) -> str:
    """A string as the file has it."""
    return '"' + "".join(c if c > "\x7f" else quoted(c.encode())[1:-1] for c in text) + '"'


@export("train.get_checkpoint_state")
def get_checkpoint_state(checkpoint_dir: Any, latest_filename: str | None = None) -> CheckpointState | None:
    """What the file "checkpoint" (or `latest_filename`) of a directory says, with paths that lead there from here.

    Returns:
      An object with the attributes `model_checkpoint_path`, `all_model_checkpoint_paths`, `all_model_checkpoint_timestamps` and
      `last_preserved_timestamp`; None where there is no such file, or it can't be read (a warning is logged).

    Raises:
      ValueError: the file names no checkpoint.
    """
    directory = path_of(checkpoint_dir)
    name = os.path.join(directory, latest_filename or "checkpoint")
    if not os.path.exists(name):
        return None
    try:
        with open(name, "rb") as file:
            state = _parsed(file.read(_MAX_STATE).decode())
    except (OSError, ValueError) as error:
        _LOG.warning("%s: the state of checkpoints can't be read: %s", name, error)
        return None
    if not state.model_checkpoint_path:
        raise ValueError(f"{name} names no latest checkpoint (model_checkpoint_path).")
    state.model_checkpoint_path = os.path.join(directory, state.model_checkpoint_path)
    state.all_model_checkpoint_paths = [os.path.join(directory, p) for p in state.all_model_checkpoint_paths]
    return state


def update_state(
    directory: str, latest: str, paths: list[str], timestamps: Any = (), last_preserved: float = 0.0
) -> None:
    """Writes the file "checkpoint" of a directory.

    Raises:
      RuntimeError: a checkpoint has that name itself.
    """
    name = os.path.join(directory, "checkpoint")
    if latest == name:
        raise RuntimeError(f"A checkpoint can't be called {latest!r}: that file says which is the latest.")

    def relative(path: str) -> str:
        return os.path.relpath(path, directory or ".")

    state = CheckpointState(relative(latest), list(map(relative, paths)), timestamps, last_preserved)
    write_whole(name, "".join(state._lines(_literal)).encode())


@export("train.latest_checkpoint")
def latest_checkpoint(checkpoint_dir: Any, latest_filename: str | None = None) -> str | None:
    """The path of the latest checkpoint in a directory, for `Checkpoint.restore`; None where there is none."""
    state = get_checkpoint_state(checkpoint_dir, latest_filename)
    if state is None:
        return None
    if os.path.exists(state.model_checkpoint_path + ".index"):
        return state.model_checkpoint_path
    _LOG.error("%s.index, the latest checkpoint, does not exist", state.model_checkpoint_path)
    return None


@export("train.checkpoints_iterator")
def checkpoints_iterator(
    checkpoint_dir: Any, min_interval_secs: float = 0, timeout: float | None = None, timeout_fn: Any = None
) -> Iterator[str]:
    """The paths of new checkpoints in a directory, each as it appears.

    Args:
      checkpoint_dir: the directory.
      min_interval_secs: the least time between two of them.
      timeout: how many seconds to wait for one; for ever where it is None.
      timeout_fn: called after that time; the iteration ends if it returns True, or if there is no such function.
    """
    latest = None
    while True:
        start = time.monotonic()
        found = _wait_for_another(checkpoint_dir, latest, timeout)
        if found is not None:
            latest = found
            start = time.monotonic()
            yield found
            time.sleep(max(0.0, start + min_interval_secs - time.monotonic()))
        elif timeout_fn is None:
            return
        if timeout_fn is not None and timeout_fn():
            return


def _wait_for_another(directory: Any, latest: str | None, timeout: float | None) -> str | None:
    end = None if timeout is None else time.monotonic() + timeout
    while True:
        found = latest_checkpoint(directory)
        if found is not None and found != latest:
            return found
        left = 1.0 if end is None else end - time.monotonic()
        if left <= 0:
            return None
        time.sleep(min(1.0, left))


# -- the tensors of a checkpoint ------------------------------------------------------------------------------------------


class CheckpointReader:
    """The tensors of a checkpoint by their keys.

    Args:
      path: what `Checkpoint.save` returned.

    Raises:
      NotFoundError: there is no such checkpoint.
      DataLossError: it is damaged.
    """

    def __init__(self, path: Any) -> None:
        self._reader = BundleReader(path_of(path))

    def has_tensor(self, tensor_str: str) -> bool:
        """Whether there is a tensor of that key."""
        return tensor_str in self._reader

    def get_tensor(self, tensor_str: str) -> Any:
        """The tensor of a key as an ndarray, a NumPy scalar, or bytes.

        Raises:
          NotFoundError: there is none.
          DataLossError: it is damaged.
        """
        array = self._reader.tensor(tensor_str)
        return array if array.ndim else array[()]

    def get_variable_to_shape_map(self) -> dict[str, list[int]]:
        """The shape of each tensor."""
        return {key: list(entry.shape) for key, entry in self._reader.entries.items()}

    def get_variable_to_dtype_map(self) -> dict[str, DType]:
        """The dtype of each tensor."""
        return {key: entry.dtype for key, entry in self._reader.entries.items()}

    def debug_string(self) -> bytes:
        """A line for each tensor: key, dtype and shape."""
        lines = [
            f"{key} (DT_{_ENUM_NAMES.get(e.dtype.name, e.dtype.name.upper())}) [{','.join(map(str, e.shape))}]\n"
            for key, e in sorted(self._reader.entries.items())
        ]
        return "".join(lines).encode()


_ENUM_NAMES = {"float32": "FLOAT", "float64": "DOUBLE", "float16": "HALF"}


@export("train.load_checkpoint")
def load_checkpoint(ckpt_dir_or_file: Any) -> CheckpointReader:
    """A reader of the checkpoint of that path, or of the latest one in a directory.

    Returns:
      A reader with the methods `get_tensor`, `has_tensor`, `get_variable_to_shape_map` and `get_variable_to_dtype_map`.

    Raises:
      NotFoundError: there is no such checkpoint.
      ValueError: the directory has none.
      DataLossError: it is damaged.
    """
    path = path_of(ckpt_dir_or_file)
    if os.path.isdir(path):
        latest = latest_checkpoint(path)
        if latest is None:
            raise ValueError(f"tf.train.load_checkpoint: the directory {path} has no checkpoint.")
        path = latest
    return CheckpointReader(path)


@export("train.load_variable")
def load_variable(ckpt_dir_or_file: Any, name: str) -> Any:
    """The tensor of a key, as an ndarray, a NumPy scalar, or bytes; arguments and errors as for `load_checkpoint`."""
    return load_checkpoint(ckpt_dir_or_file).get_tensor(name.removesuffix(":0"))


@export("train.list_variables")
def list_variables(ckpt_dir_or_file: Any) -> list[tuple[str, list[int]]]:
    """The keys of a checkpoint's tensors, sorted, with their shapes; arguments and errors as for `load_checkpoint`."""
    return sorted(load_checkpoint(ckpt_dir_or_file).get_variable_to_shape_map().items())
