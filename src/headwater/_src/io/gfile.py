"""`tf.io.gfile`: the local file system with TensorFlow's names and error classes."""

from __future__ import annotations

import contextlib
import errno
import glob as _glob
import os
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from headwater._src.base import errors
from headwater._src.base.compat import as_bytes, as_str_any, path_to_str
from headwater._src.base.exporting import export
from headwater._src.core.convert import convert
from headwater._src.core.spec import Spec
from headwater._src.core.tensor import Tensor
from headwater._src.io.opaque import STRING, HostOp

_CLASSES: dict[int, type[errors.OpError]] = {
    errno.ENOENT: errors.NotFoundError,
    errno.EEXIST: errors.AlreadyExistsError,
    errno.EACCES: errors.PermissionDeniedError,
    errno.EPERM: errors.PermissionDeniedError,
    errno.EISDIR: errors.FailedPreconditionError,
    errno.ENOTDIR: errors.FailedPreconditionError,
    errno.ENOTEMPTY: errors.FailedPreconditionError,
    errno.ENOSPC: errors.ResourceExhaustedError,
}


def _path(path: Any) -> str:
    """A local path as str; the scheme `file://` is dropped and any other refused."""
    text = as_str_any(path_to_str(path))
    if text.startswith("file://"):
        return text[7:]
    if "://" in text:
        scheme = text.partition("://")[0]
        raise errors.UnimplementedError(
            None,
            None,
            f"File system scheme {scheme!r} is not there (path {text!r}); headwater reads local files.",
        )
    return text


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        cls = _CLASSES.get(error.errno or 0, errors.UnknownError)
        where = f"{error.filename}; " if error.filename is not None else ""
        raise cls(None, None, f"{where}{error.strerror or error}") from None


@export("io.gfile.exists")
def exists(path: Any) -> bool:
    """Whether a file or directory of that name exists."""
    return os.path.exists(_path(path))


@export("io.gfile.isdir")
def isdir(path: Any) -> bool:
    """Whether the path is a directory."""
    return os.path.isdir(_path(path))


@export("io.gfile.join")
def join(path: Any, *paths: Any) -> Any:
    """The paths joined; bytes where the first is bytes."""
    joined = os.path.join(*(as_str_any(path_to_str(p)) for p in (path, *paths)))
    return as_bytes(joined) if isinstance(path, bytes) else joined


@export("io.gfile.glob")
def glob(pattern: Any) -> list[str]:
    """The files that match a pattern or any of several, sorted."""
    patterns = [pattern] if isinstance(pattern, (str, bytes, os.PathLike)) else list(pattern)
    return [name for p in patterns for name in sorted(_glob.glob(_path(p)))]


@export("io.gfile.listdir")
def listdir(path: Any) -> list[str]:
    """The names in a directory, without "." and "..".

    Raises:
      NotFoundError: there is no such directory.
    """
    name = _path(path)
    if not os.path.isdir(name):
        raise errors.NotFoundError(None, None, f"Could not find directory {name}")
    with _translated():
        return os.listdir(name)


@export("io.gfile.mkdir")
def mkdir(path: Any) -> None:
    """Makes a directory whose parent exists.

    Raises:
      AlreadyExistsError, NotFoundError: it exists, or its parent does not.
    """
    with _translated():
        os.mkdir(_path(path))


@export("io.gfile.makedirs")
def makedirs(path: Any) -> None:
    """Makes a directory and its parents; one that exists is left alone."""
    with _translated():
        os.makedirs(_path(path), exist_ok=True)


@export("io.gfile.remove")
def remove(path: Any) -> None:
    """Deletes a file.

    Raises:
      NotFoundError: there is none.
      FailedPreconditionError: it is a directory.
    """
    name = _path(path)
    if os.path.isdir(name):
        raise errors.FailedPreconditionError(
            None, None, f"{name}; it is a directory. Use tf.io.gfile.rmtree."
        )
    with _translated():
        os.remove(name)


@export("io.gfile.rmtree")
def rmtree(path: Any) -> None:
    """Deletes a directory and all that is in it.

    Raises:
      NotFoundError: there is none.
    """
    import shutil

    with _translated():
        shutil.rmtree(_path(path))


@export("io.gfile.rename")
def rename(src: Any, dst: Any, overwrite: bool = False) -> None:
    """Renames or moves a file or directory.

    Raises:
      NotFoundError: `src` does not exist.
      AlreadyExistsError: `dst` exists and `overwrite` is false.
    """
    _refuse_existing(dst, overwrite)
    with _translated():
        os.replace(_path(src), _path(dst))


@export("io.gfile.copy")
def copy(src: Any, dst: Any, overwrite: bool = False) -> None:
    """Copies a file.

    Raises:
      NotFoundError: `src` does not exist.
      AlreadyExistsError: `dst` exists and `overwrite` is false.
    """
    import shutil

    _refuse_existing(dst, overwrite)
    with _translated():
        shutil.copyfile(_path(src), _path(dst))


def _refuse_existing(path: Any, overwrite: bool) -> None:
    if not overwrite and os.path.exists(_path(path)):
        raise errors.AlreadyExistsError(
            None, None, f"file already exists: {_path(path)}; overwrite=True replaces it."
        )


@export("io.gfile.walk")
def walk(top: Any, topdown: bool = True, onerror: Any = None) -> Iterator[tuple[str, list[str], list[str]]]:
    """Triples (directory, directories in it, files in it) for `top` and all below it."""
    return os.walk(_path(top), topdown, onerror)


class FileStatistics(NamedTuple):
    """Size in bytes, time of the last change in nanoseconds, and whether it is a directory."""

    length: int
    mtime_nsec: int
    is_directory: bool


@export("io.gfile.stat")
def stat(path: Any) -> FileStatistics:
    """What is known of a file; NotFoundError where there is none."""
    with _translated():
        found = os.stat(_path(path))
    return FileStatistics(found.st_size, found.st_mtime_ns, os.path.isdir(_path(path)))


@export("io.gfile.get_registered_schemes")
def get_registered_schemes() -> Sequence[str]:
    """The file systems that paths may name: "" and "file", both the local one."""
    return ["", "file"]


@export("io.gfile.GFile")
class GFile:
    """A local file, opened when it is first read or written.

    Args:
      name: its path.
      mode: "r", "w", "a", or "r+", with "b" for bytes.

    Raises:
      InvalidArgumentError: another mode.
      NotFoundError, PermissionDeniedError: at the first use.
    """

    def __init__(self, name: Any, mode: str = "r") -> None:
        if mode not in (
            "r",
            "w",
            "a",
            "r+",
            "w+",
            "a+",
            "rb",
            "wb",
            "ab",
            "rb+",
            "wb+",
            "ab+",
            "r+b",
            "w+b",
            "a+b",
        ):
            raise errors.InvalidArgumentError(
                None, None, f"{mode!r} is no mode of tf.io.gfile.GFile; use r, w, a, r+ and b."
            )
        self.name = path_to_str(name)
        self.mode = mode
        self._file: Any = None

    def _open(self) -> Any:
        if self._file is None:
            text = {} if "b" in self.mode else {"encoding": "utf-8"}
            with _translated():
                self._file = open(_path(self.name), self.mode, **text)  # type: ignore[call-overload]  # noqa: SIM115
        return self._file

    def read(self, n: int = -1) -> Any:
        """The next `n` characters or bytes; all that remain by default."""
        if "r" not in self.mode and "+" not in self.mode:
            raise errors.PermissionDeniedError(None, None, f"{self.name}: the file is not open for reading.")
        return self._open().read(n)

    def write(self, file_content: Any) -> None:
        """Writes text or bytes at the file's position."""
        if self.mode in ("r", "rb"):
            raise errors.PermissionDeniedError(None, None, f"{self.name}: the file is not open for writing.")
        self._open().write(as_bytes(file_content) if "b" in self.mode else as_str_any(file_content))

    def readline(self) -> Any:
        """The next line with its end; empty at the end of the file."""
        return self._open().readline()

    def readlines(self) -> list[Any]:
        """The lines that remain."""
        return self._open().readlines()

    def seek(self, offset: int | None = None, whence: int = 0, position: int | None = None) -> None:
        """Moves the file's position."""
        self._open().seek(offset if offset is not None else position or 0, whence)

    def seekable(self) -> bool:
        """True."""
        return True

    def tell(self) -> int:
        """The file's position."""
        return self._open().tell()

    def size(self) -> int:
        """The file's length in bytes."""
        return stat(self.name).length

    def flush(self) -> None:
        """Hands what was written to the operating system."""
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        """Closes the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> GFile:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()

    def __iter__(self) -> GFile:
        return self

    def __next__(self) -> Any:
        line = self.readline()
        if not line:
            raise StopIteration
        return line


# -- whole files as tensors -----------------------------------------------------------------------------------------------


def _string(value: Any, what: str) -> Any:
    tensor = convert(value)
    if tensor.dtype.name != "string" or tensor.shape.rank not in (0, None):
        raise errors.invalid(
            f"{what} takes a scalar string; got {tensor.dtype.name} of shape {tensor.shape}."
        )
    return tensor


def _read(name: np.ndarray, how: None) -> tuple[np.ndarray]:
    path = _path(name[()])
    out = np.empty((), object)
    with _translated(), open(path, "rb") as file:
        out[()] = file.read()
    return (out,)


_READ = HostOp("ReadFile", _read, stateful=True)


@export("io.read_file")
def read_file(filename: Any, name: str | None = None) -> Tensor:
    """The whole content of a file as a scalar string tensor.

    Raises:
      NotFoundError: there is no such file.
    """
    return _READ([_string(filename, "tf.io.read_file")], None, [Spec((), STRING)], name)[0]


@contextlib.contextmanager
def replacing(path: str) -> Iterator[Any]:
    """A binary file to write to, which is given its name at the end, so that a reader sees the old file or the new one, never a
    part. Directories on the path are made; after an error nothing has changed."""
    with _translated():
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        temporary = f"{path}.{os.getpid()}.{os.urandom(8).hex()}.tmp"
        try:
            with open(temporary, "xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise


def write_whole(path: str, data: bytes) -> None:
    """Writes a file. A reader sees the old file or the new one, never a part."""
    with replacing(path) as file:
        file.write(data)


def _write(name: np.ndarray, contents: np.ndarray, how: None) -> tuple[()]:
    write_whole(_path(name[()]), bytes(contents[()]))
    return ()


_WRITE = HostOp("WriteFile", _write, stateful=True)


@export("io.write_file")
def write_file(filename: Any, contents: Any, name: str | None = None) -> None:
    """Writes a scalar string to a file, making the directories on its path; readers see the old file or the new one."""
    what = "tf.io.write_file"
    _WRITE([_string(filename, what), _string(contents, what)], None, (), name)


@export("io.matching_files")
def matching_files(pattern: Any, name: str | None = None) -> Tensor:
    """The names of the files that match one pattern or several, sorted, as a vector of strings."""
    patterns = convert(pattern)
    return _MATCHING([patterns], None, [Spec((None,), STRING)], name)[0]


def _matching(patterns: np.ndarray, how: None) -> tuple[np.ndarray]:
    names = sorted({n for p in patterns.reshape(-1) for n in glob(p)})
    out = np.empty(len(names), object)
    out[:] = [as_bytes(n) for n in names]
    return (out,)


_MATCHING = HostOp("MatchingFiles", _matching, stateful=True)
