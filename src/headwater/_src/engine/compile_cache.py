"""The compilation cache on disk: a directory of our own that JAX's persistent cache works in while we compile.

JAX keys its entries by the program, the compiler's version and options; the directory's name adds what the machine's
processor can do, as compiled code is made for it. Entries are compiled code, so a directory that others may write to is
refused.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import logging
import os
import platform
import stat
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

from headwater._src.base import flags
from headwater._src.base.lazy import jax

_log = logging.getLogger("headwater")

MAX_BYTES = 1 << 30
"""How large the directory may become; the programs used longest ago go first."""
_DIGEST = hashlib.sha256().digest_size


@contextlib.contextmanager
def at_work() -> Iterator[None]:
    """While the block runs, what JAX compiles is looked up and kept in our directory.

    A JAX cache that the user has set up is left as it is and used instead; `HEADWATER_COMPILE_CACHE=off` turns ours off.
    """
    place = directory()
    config = jax.config
    if (
        place is None
        or config.jax_compilation_cache_dir is not None
        or not config.jax_enable_compilation_cache
    ):
        yield
        return
    from jax._src import compilation_cache as machinery

    settings = {
        "jax_compilation_cache_dir": str(place),
        "jax_persistent_cache_min_compile_time_secs": 0.0,
        "jax_persistent_cache_min_entry_size_bytes": 0,
    }
    saved = {name: getattr(config, name) for name in settings}
    for name, value in settings.items():
        config.update(name, value)
    try:
        machinery.reset_cache()
        # JAX's own files are written in place: a crash would leave half of one, and it would never be replaced.
        machinery._cache, machinery._cache_initialized = _Files(place), True  # type: ignore[assignment]
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*persistent compilation cache")
            yield
    finally:
        for name, value in saved.items():
            config.update(name, value)
        machinery.reset_cache()


class _Files:
    """One file for each program: the digest of its content, then the content as JAX gives it."""

    def __init__(self, place: Path) -> None:
        self._path = place

    def get(self, key: str) -> bytes | None:
        """The program of that key; None where there is none or its file is damaged."""
        path = self._path / key
        try:
            content = path.read_bytes()
        except OSError:
            return None
        digest, program = content[:_DIGEST], content[_DIGEST:]
        if hashlib.sha256(program).digest() != digest:
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        return program

    def put(self, key: str, value: bytes) -> None:
        """Keeps a program; what can't be written is only not kept."""
        try:
            handle, name = tempfile.mkstemp(dir=self._path)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(hashlib.sha256(value).digest() + value)
                os.replace(name, self._path / key)
            except OSError:
                os.unlink(name)
                raise
            _shrink(self._path)
        except OSError as error:
            _log.warning("A compiled program could not be kept in the cache: %s.", error)


def _shrink(place: Path) -> None:
    """Removes the files used longest ago, down to half of what is allowed, where there are too many."""
    files = [(entry.stat().st_mtime, entry.stat().st_size, entry.path) for entry in os.scandir(place)]
    total = sum(size for _, size, _ in files)
    if total <= MAX_BYTES:
        return
    for _, size, path in sorted(files):
        with contextlib.suppress(OSError):
            os.unlink(path)
            total -= size
        if total <= MAX_BYTES // 2:
            break


def directory() -> Path | None:
    """Where compiled programs are kept, made if need be; None where the cache is off or the place can't be trusted."""
    setting = str(flags.get("compile_cache"))
    if setting.lower() in ("off", "0", "false", "no"):
        return None
    return _prepared(setting, os.environ.get("XDG_CACHE_HOME", ""))


@functools.cache
def _prepared(setting: str, cache_home: str) -> Path | None:
    if setting.lower() in ("on", "", "true", "1"):
        base = Path(cache_home) if os.path.isabs(cache_home) else Path.home() / ".cache"
        root = base / "headwater" / "xla"
    else:
        root = Path(setting)
    place = root / _machine()
    try:
        root.parent.mkdir(parents=True, exist_ok=True)
        for folder in (root, place):
            folder.mkdir(mode=0o700, exist_ok=True)
            _check(folder)
    except OSError as error:
        _log.warning("The compilation cache is off: %s.", error)
        return None
    return place


def _check(folder: Path) -> None:
    """PermissionError where somebody else owns the folder or may write to it."""
    if not hasattr(os, "getuid"):
        return
    found = os.lstat(folder)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise PermissionError(
            f"{folder} must be a directory that you own and nobody else may write to (chmod 700), as compiled code is read from it"
        )


@functools.cache
def _machine() -> str:
    """A name for the kind of processor, its features included, and for the versions of what compiles."""
    text = f"{sys.platform} {platform.machine()} {jax.version.__version__}"
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8", errors="replace") as lines:
        wanted = ("flags", "Features", "model name")
        text += "".join(sorted({line for line in lines if line.startswith(wanted)}))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
