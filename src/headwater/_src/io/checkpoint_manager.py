"""`tf.train.CheckpointManager`: numbered checkpoints in a directory, of which the last few are kept."""

from __future__ import annotations

import contextlib
import glob
import os
import time
from typing import Any

from headwater._src.base.exporting import export
from headwater._src.base.text import describe
from headwater._src.io.checkpoint import Checkpoint, CheckpointOptions
from headwater._src.io.checkpoint_files import get_checkpoint_state, path_of, update_state


@export("train.CheckpointManager")
class CheckpointManager:
    """Writes checkpoints to a directory and deletes old ones; what it knows it finds again there.

    Args:
      checkpoint: the `tf.train.Checkpoint` to write.
      directory: where to; its file "checkpoint" holds the manager's own state.
      max_to_keep: so many are kept, the last ones; None for all.
      keep_checkpoint_every_n_hours: one that would be deleted is kept for ever if it came so many hours after the last such one.
      checkpoint_name: the first part of the files' names.
      step_counter: a variable with the number of the training step, for `checkpoint_interval`.
      checkpoint_interval: the least number of steps between two checkpoints; `save` does nothing before.
      init_fn: called by `restore_or_initialize` where there is no checkpoint.
      last_checkpoint_step: the step of the last checkpoint, if it was written by another manager.

    Raises:
      ValueError: `max_to_keep` is not positive, or there is an interval and no counter.
    """

    def __init__(
        self, checkpoint: Checkpoint, directory: Any, max_to_keep: int | None,
        keep_checkpoint_every_n_hours: float | None = None, checkpoint_name: str = "ckpt", step_counter: Any = None,
        checkpoint_interval: int | None = None, init_fn: Any = None, last_checkpoint_step: int | None = None,
    ) -> None:  # fmt: skip
        if max_to_keep is not None and max_to_keep <= 0:
            raise ValueError(
                f"tf.train.CheckpointManager: max_to_keep must be positive or None; got {describe(max_to_keep)}."
            )
        if checkpoint_interval is not None and step_counter is None:
            raise ValueError("tf.train.CheckpointManager: checkpoint_interval needs a step_counter.")
        self._checkpoint = checkpoint
        self._directory = path_of(directory)
        self._prefix = os.path.join(self._directory, checkpoint_name)
        self._max_to_keep = max_to_keep
        self._keep_every = keep_checkpoint_every_n_hours
        self._step_counter, self._interval = step_counter, checkpoint_interval
        self._last_step = last_checkpoint_step
        self._init_fn = init_fn
        self._latest: str | None = None
        self._kept: dict[str, float] = {}
        """Checkpoints that may be deleted, with the times when they were written, the oldest first."""
        # A little back, so that a checkpoint written at once counts as later.
        self._last_preserved = time.time() - 1.0
        self._recover()

    def _recover(self) -> None:
        state = get_checkpoint_state(self._directory)
        if state is None:
            return
        now = time.time()
        self._latest = state.model_checkpoint_path
        self._last_preserved = min(state.last_preserved_timestamp, now)
        paths = state.all_model_checkpoint_paths
        times = state.all_model_checkpoint_timestamps or [self._last_preserved] * len(paths)
        here = os.path.join(os.path.abspath(self._directory), "")
        for path, written in zip(paths, times, strict=False):
            # What lies elsewhere is not this manager's to delete, whatever the file says.
            if min(written, now) > self._last_preserved and os.path.abspath(path).startswith(here):
                self._kept[path] = min(written, now)

    @property
    def directory(self) -> str:
        """Where the checkpoints are."""
        return self._directory

    @property
    def checkpoint_interval(self) -> int | None:
        """The least number of steps between two checkpoints, or None."""
        return self._interval

    @property
    def checkpoint(self) -> Checkpoint:
        """What is written."""
        return self._checkpoint

    @property
    def latest_checkpoint(self) -> str | None:
        """The path of the latest checkpoint, for `Checkpoint.restore`; None where there is none."""
        return self._latest

    @property
    def checkpoints(self) -> list[str]:
        """The paths of the checkpoints that are kept, the oldest first, without those that are kept for ever."""
        return list(self._kept)

    def save(
        self, checkpoint_number: Any = None, check_interval: bool = True, options: CheckpointOptions | None = None
    ) -> str | None:  # fmt: skip
        """Writes a checkpoint and deletes those that are too many.

        Args:
          checkpoint_number: its number, an integer, a variable or tensor; by default that of the checkpoint's counter.
          check_interval: whether to heed the manager's `checkpoint_interval`; two for one step are never written.
          options: see `tf.train.CheckpointOptions`.

        Returns:
          The path; None where nothing was written for the sake of the interval.
        """
        if self._interval is not None:
            step, last = int(self._step_counter), self._last_step
            if last is not None and (step == last or (check_interval and step < last + self._interval)):
                return None
            self._last_step = step
        counter = self._checkpoint.save_counter
        counter.assign_add(1)
        number = int(counter if checkpoint_number is None else checkpoint_number)
        options = (options or CheckpointOptions()).with_callback(self._written)
        return self._checkpoint.write(f"{self._prefix}-{number}", options)

    def _written(self, path: str) -> None:
        self._kept.pop(path, None)
        self._kept[path] = time.time()
        self._latest = path
        self._record()  # before anything is deleted, so that the new one is found whatever happens
        self._sweep()
        self._record()

    def _record(self) -> None:
        update_state(
            self._directory, self._latest or "", list(self._kept), self._kept.values(), self._last_preserved
        )

    def _sweep(self) -> None:
        while self._max_to_keep and len(self._kept) > self._max_to_keep:
            path = next(iter(self._kept))
            written = self._kept.pop(path)
            if self._keep_every and written - self._keep_every * 3600.0 >= self._last_preserved:
                self._last_preserved = written
                continue
            for name in [path + ".index", *glob.glob(glob.escape(path) + ".data-?????-of-?????")]:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(name)

    def restore_or_initialize(self) -> str | None:
        """Restores the latest checkpoint and returns its path; calls `init_fn` and returns None where there is none."""
        self.sync()
        if self._latest is not None:
            self._checkpoint.restore(self._latest)
            if self._interval is not None:
                self._last_step = int(self._step_counter)
            return self._latest
        if self._init_fn is not None:
            self._init_fn()
        return None

    def sync(self) -> None:
        """Waits for what is still being written."""
        self._checkpoint.sync()
