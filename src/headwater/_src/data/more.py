"""The methods of `tf.data.Dataset` beyond the everyday ones, in a base class of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import headwater._src.data.nodes as nodes
import headwater._src.data.saving as saving
import headwater._src.data.transforms as transforms
from headwater._src.base import nest
from headwater._src.base.dtypes import as_dtype, int64
from headwater._src.base.errors import invalid
from headwater._src.base.shapes import TensorShape
from headwater._src.base.text import describe
from headwater._src.core.convert import convert, host_ints
from headwater._src.core.spec import TensorSpec
from headwater._src.core.tensor import EagerTensor, Tensor
from headwater._src.data.fingerprints import fingerprint
from headwater._src.data.functions import UserFunction
from headwater._src.data.padding import PaddedBatch
from headwater._src.data.structure import map_leaves, normalize, number, spec_of
from headwater._src.io.gfile import matching_files
from headwater._src.ops import math, random
from headwater._src.ops.cast import cast


def positive(value: Any, what: str) -> Any:
    """A positive integer, or a tensor of a graph; InvalidArgumentError for others."""
    found = number(value, what)
    if nodes.known(found) and found < 1:
        raise invalid(f"{what} must be positive; got {found}.")
    return found


def flag(value: Any, what: str) -> Any:
    """A boolean, or a boolean tensor of a graph; TypeError for others."""
    if value.__class__ is bool:
        return value
    found = convert(value)
    if not found.dtype.is_bool:
        raise TypeError(f"{what} must be a boolean; got {describe(value)}.")
    return bool(found)


class MoreMethods:
    """What `tf.data.Dataset` is derived from."""

    _node: nodes.Node

    @staticmethod
    def _of(node: nodes.Node) -> Any:
        raise NotImplementedError

    @staticmethod
    def _spec_of(element_spec: Any) -> Any:
        raise NotImplementedError

    # -- sources ------------------------------------------------------------------------------------------------------

    @classmethod
    def random(cls, seed: Any = None, rerandomize_each_iteration: Any = None, name: str | None = None) -> Any:
        """Random integers below 2**32, as int64, without end.

        Args:
          seed: with the global seed it decides the numbers.
          rerandomize_each_iteration: whether each pass has numbers of its own.
        """
        return cls._of(nodes.RandomNumbers(seed, bool(rerandomize_each_iteration)))

    @classmethod
    def list_files(
        cls, file_pattern: Any, shuffle: Any = None, seed: Any = None, name: str | None = None
    ) -> Any:
        """The names of the files that match one pattern or several.

        Args:
          file_pattern: a string, a list or a vector of strings.
          shuffle: whether in a random order (True).
          seed: of the order.

        Raises:
          InvalidArgumentError: no file matches.
        """
        found = matching_files(file_pattern)
        if isinstance(found, EagerTensor) and not len(found._array):
            raise invalid(f"Dataset.list_files: no file matches {describe(file_pattern)}.")
        node: nodes.Node = nodes.Slices(found)
        if shuffle is None or shuffle:
            node = nodes.Shuffle(node, -1, seed, True)
        return cls._of(node)

    @classmethod
    def load(
        cls, path: Any, element_spec: Any = None, compression: Any = None, reader_func: Any = None, wait: bool = False,
        name: str | None = None,
    ) -> Any:  # fmt: skip
        """The data set that `save` wrote.

        Args:
          path: the directory.
          element_spec: what the elements are expected to be.
          compression: accepted; the directory says it.
          reader_func: gets a data set of the shards' data sets and gives the data set of the elements.

        Raises:
          NotFoundError: there is none.
          ValueError: its elements are others than `element_spec`.
          DataLossError: a file is damaged.
        """
        found = saving.description(path)
        if element_spec is not None and nest.flatten(element_spec) != nest.flatten(found["spec"]):
            raise ValueError(f"Dataset.load: the elements are {found['spec']}; {element_spec} was expected.")
        read = cls._reader(reader_func, "Dataset.load")
        return cls._of(read(saving.shards(path, found), found["spec"], found["count"]))

    @classmethod
    def _reader(cls, reader_func: Any, what: str) -> Any:
        """A function that makes the node of the elements of those of files."""
        if reader_func is None:
            return saving.Joined

        def read(parts: Any, spec: Any, count: int) -> nodes.Node:
            made = reader_func(cls._of(transforms.Elements([cls._of(p) for p in parts], cls._spec_of(spec))))
            if not isinstance(made, MoreMethods):
                raise invalid(f"{what}: reader_func must give a data set; it gives {describe(made)}.")
            if nest.flatten(made._node.spec) != nest.flatten(spec):
                raise invalid(
                    f"{what}: reader_func gives elements of {made._node.spec}; {spec} was expected."
                )
            return made._node

        return read

    # -- files --------------------------------------------------------------------------------------------------------

    def save(
        self, path: Any, compression: Any = None, shard_func: Any = None, checkpoint_args: Any = None
    ) -> None:
        """Writes the elements to a directory, from which `load` makes a data set.

        Args:
          path: the directory.
          compression: None or "GZIP".
          shard_func: the number of the file for each element; all in one by default.
        """
        if checkpoint_args is not None:
            raise NotImplementedError("Dataset.save: checkpoint_args is not in this version of headwater.")
        saving.save(self._node, path, saving.compression_of(compression, "Dataset.save"), shard_func)

    def snapshot(
        self, path: Any, compression: Any = "AUTO", reader_func: Any = None, shard_func: Any = None, name: str | None = None
    ) -> Any:  # fmt: skip
        """Keeps the elements of the first complete pass in a directory and reads them from there afterwards.

        Args:
          path: the directory; data sets with other fingerprints have other elements in it.
          compression: "AUTO", None or "GZIP".
          shard_func: the number of the file for each element, an int64 scalar; all in one by default.
          reader_func: gets a data set of the files' data sets and gives the data set of the elements.

        Raises:
          TypeError: `shard_func` gives something else than an int64 scalar.
        """
        what = "Dataset.snapshot"
        how = saving.compression_of(compression, what)
        read = self._reader(reader_func, what)
        return self._of(saving.Snapshot(self._node, path, how, shard_func, read))

    def fingerprint(self) -> Tensor:
        """A uint64 scalar that tells data sets apart: equal for equal expressions, in any process; seeds do not count.

        The numbers are others than TensorFlow's, whose graphs are others.
        """
        return convert(np.asarray(fingerprint(self._node), np.uint64))

    # -- transformations ----------------------------------------------------------------------------------------------

    def padded_batch(
        self, batch_size: Any, padded_shapes: Any = None, padding_values: Any = None, drop_remainder: Any = False,
        name: str | None = None,
    ) -> Any:  # fmt: skip
        """Each `batch_size` elements stacked to one, filled up where they are smaller than the others.

        Args:
          batch_size: a positive integer.
          padded_shapes: a shape for each part of an element, None (or -1) for dimensions as long as the longest; by default
            the shapes of the elements.
          padding_values: a scalar, or one for each part; zero or the empty string by default.
          drop_remainder: leave out a last batch that would be smaller.

        Raises:
          ValueError: the rank is unknown, or padded_shapes does not fit.
          TypeError: a padding value has another dtype, or the elements are not dense.
          DataLossError: on iteration, an element is larger than padded_shapes.
        """
        size = positive(batch_size, "Dataset.padded_batch: batch_size")
        drop = flag(drop_remainder, "Dataset.padded_batch: drop_remainder")
        return self._of(PaddedBatch(self._node, size, padded_shapes, padding_values, drop))

    def ragged_batch(
        self, batch_size: Any, drop_remainder: Any = False, row_splits_dtype: Any = int64, name: str | None = None
    ) -> Any:  # fmt: skip
        """Each `batch_size` elements as one; tensors whose shapes may differ become the rows of a ragged tensor.

        Args:
          batch_size: a positive integer.
          drop_remainder: leave out a last batch that would be smaller.
          row_splits_dtype: int32 or int64, the dtype of the new tensors' splits.

        Raises:
          InvalidArgumentError: on iteration, tensors differ in dimensions that are not ragged.
        """
        size = positive(batch_size, "Dataset.ragged_batch: batch_size")
        drop = flag(drop_remainder, "Dataset.ragged_batch: drop_remainder")
        return self._of(nodes.RaggedBatch(self._node, size, drop, as_dtype(row_splits_dtype)))

    def window(
        self,
        size: Any,
        shift: Any = None,
        stride: Any = 1,
        drop_remainder: Any = False,
        name: str | None = None,
    ) -> Any:
        """Data sets of `size` neighbouring elements; where elements have several parts, one data set for each part.

        Args:
          size: how many elements a window has.
          shift: how far the next window begins after this one; `size` by default.
          stride: the distance of the elements in a window.
          drop_remainder: leave out windows that would be smaller.

        Raises:
          InvalidArgumentError: a number that is not positive.
        """
        what = "Dataset.window"
        shift = None if shift is None else number(shift, what)
        size, stride = number(size, what), number(stride, what)
        make, spec = self._of, self._spec_of
        drop = flag(drop_remainder, f"{what}: drop_remainder")
        return self._of(transforms.Window(self._node, size, shift, stride, drop, make, spec))

    def scan(self, initial_state: Any, scan_func: Any, name: str | None = None) -> Any:
        """`scan_func(state, element)` gives the next state and an element of the new data set.

        Raises:
          TypeError: it gives no pair, or the state changes its structure or dtypes.
        """
        return self._of(transforms.Scan(self._node, normalize(initial_state), scan_func))

    def group_by_window(
        self, key_func: Any, reduce_func: Any, window_size: Any = None, window_size_func: Any = None, name: str | None = None
    ) -> Any:  # fmt: skip
        """Collects elements by key; each full window, and what is left at the end, goes through `reduce_func(key, data set)`.

        Args:
          key_func: an int64 scalar for each element.
          reduce_func: gives the data set whose elements are the result.
          window_size: how many elements of a key fill a window.
          window_size_func: the same for each key; one of the two is needed.

        Raises:
          ValueError: both or neither are given, or a function gives no int64 scalar.
          TypeError: `reduce_func` gives no data set.
        """
        if (window_size is None) == (window_size_func is None):
            raise ValueError("Dataset.group_by_window: give either window_size or window_size_func.")
        if window_size_func is None:
            size = convert(window_size)
            window_size_func = lambda key: cast(size, "int64")  # noqa: E731
        node = transforms.GroupByWindow(
            self._node, key_func, reduce_func, window_size_func, self._of, self._spec_of
        )
        return self._of(node)

    def bucket_by_sequence_length(
        self, element_length_func: Any, bucket_boundaries: Sequence[int], bucket_batch_sizes: Sequence[int],
        padded_shapes: Any = None, padding_values: Any = None, pad_to_bucket_boundary: bool = False,
        no_padding: bool = False, drop_remainder: bool = False, name: str | None = None,
    ) -> Any:  # fmt: skip
        """Batches of elements of similar lengths.

        Args:
          element_length_func: the length of an element, int32.
          bucket_boundaries: the lengths at which the next bucket begins, ascending.
          bucket_batch_sizes: the batch size of each bucket, one more than boundaries.
          padded_shapes, padding_values: as in `padded_batch`.
          pad_to_bucket_boundary: fill up to the bucket's boundary minus 1 instead of the longest element.
          no_padding: batch as they are, for sparse elements.
          drop_remainder: leave out batches that would be smaller.

        Raises:
          ValueError: the numbers of boundaries and batch sizes don't fit.
        """
        from headwater._src.data.buckets import by_length

        return by_length(
            self, element_length_func, list(bucket_boundaries), list(bucket_batch_sizes), padded_shapes, padding_values,
            pad_to_bucket_boundary, no_padding, drop_remainder,
        )  # fmt: skip

    def unique(self, name: str | None = None) -> Any:
        """The elements without those that came before.

        Raises:
          TypeError: they are no int32, int64 or string tensors.
          InvalidArgumentError: they have several parts.
        """
        return self._of(transforms.Unique(self._node))

    def ignore_errors(self, log_warning: bool = False, name: str | None = None) -> Any:
        """The elements without those whose computation raised."""
        return self._of(transforms.IgnoreErrors(self._node, bool(log_warning)))

    def rebatch(self, batch_size: Any, drop_remainder: Any = False, name: str | None = None) -> Any:
        """The rows of the elements in batches of another size; a vector of sizes is gone through again and again."""
        what = "Dataset.rebatch"
        if any(
            getattr(s, "shape", None) is not None and s.shape.rank == 0 for s in nest.flatten(self._node.spec)
        ):
            raise ValueError(f"{what}: elements must be batches; got {self._node.spec}.")
        if np.ndim(batch_size) > 1:
            raise ValueError(f"{what} takes one batch size or a vector of them; got {describe(batch_size)}.")
        sizes = host_ints(batch_size, what) if np.ndim(batch_size) else [number(batch_size, what)]
        if min(sizes, default=0) < 1:
            raise ValueError(f"{what}: batch sizes must be positive; got {batch_size}.")
        drop = flag(drop_remainder, f"{what}: drop_remainder")
        return self._of(transforms.Rebatch(self._node, sizes, drop))

    def sparse_batch(self, batch_size: Any, row_shape: Any, name: str | None = None) -> Any:
        """Each `batch_size` tensors as one sparse tensor of shape [batch size, *row_shape].

        Raises:
          TypeError: elements are not single tensors.
          ValueError: a dimension of `row_shape` is negative.
          DataLossError: on iteration, an element is larger than `row_shape`.
        """
        size = positive(batch_size, "Dataset.sparse_batch: batch_size")
        dims = [-1 if d is None else d for d in TensorShape(row_shape).as_list()]
        return self._of(transforms.SparseBatch(self._node, size, dims))

    def rejection_resample(
        self,
        class_func: Any,
        target_dist: Any,
        initial_dist: Any = None,
        seed: Any = None,
        name: str | None = None,
    ) -> Any:
        """Pairs of a class and an element, in which classes have the probabilities `target_dist`; others are left out.

        Args:
          class_func: the class of an element, an int32 scalar.
          target_dist: the probabilities wanted, a float vector.
          initial_dist: those that the elements have; estimated while they come by if it is not given.
          seed: of the random choices.
        """
        from headwater._src.data.resampling import resample

        return resample(self, class_func, target_dist, initial_dist, seed)

    # -- several data sets --------------------------------------------------------------------------------------------

    @classmethod
    def sample_from_datasets(
        cls, datasets: Any, weights: Any = None, seed: Any = None, stop_on_empty_dataset: bool = False,
        rerandomize_each_iteration: Any = None,
    ) -> Any:  # fmt: skip
        """Elements of several data sets, each time of one chosen at random.

        Args:
          datasets: a list of data sets with elements of one structure.
          weights: the probability of each, or a data set of such vectors; equal ones by default.
          seed: of the choices.
          stop_on_empty_dataset: whether to end with the first data set that ends.
          rerandomize_each_iteration: whether each pass has choices of its own.

        Raises:
          ValueError: no data set, or not one weight for each.
          TypeError: the weights are no floats.
        """
        datasets = list(datasets)
        if not datasets:
            raise ValueError("Dataset.sample_from_datasets: at least one data set is needed.")
        numbers = cls.random(seed, rerandomize_each_iteration).batch(2)
        if hasattr(weights, "_node"):
            pairs = cls._of(nodes.Zip((weights._node, numbers._node)))
            selector = pairs.map(lambda w, s: _choice(math.log(w), s))
        else:
            given = convert([1.0 / len(datasets)] * len(datasets) if weights is None else weights)
            if not given.dtype.is_floating:
                raise TypeError(
                    f"Dataset.sample_from_datasets: weights must be floats; got {describe(given)}."
                )
            if given.shape != (len(datasets),):
                raise ValueError(
                    f"Dataset.sample_from_datasets: {len(datasets)} weights are needed; got shape {given.shape}."
                )
            if len(datasets) == 1:
                return datasets[0]
            logits = math.log(given)
            selector = numbers.map(lambda s: _choice(logits, s))
        sources = [d._node for d in datasets]
        return cls._of(transforms.DirectedInterleave(selector._node, sources, bool(stop_on_empty_dataset)))

    @classmethod
    def choose_from_datasets(
        cls, datasets: Any, choice_dataset: Any, stop_on_empty_dataset: bool = True
    ) -> Any:
        """Elements of several data sets, each time of the one whose number `choice_dataset` gives.

        Raises:
          ValueError: no data set.
          TypeError: the choices are no int64 scalars.
          InvalidArgumentError: on iteration, a number that no data set has.
        """
        datasets = list(datasets)
        if not datasets:
            raise ValueError("Dataset.choose_from_datasets: at least one data set is needed.")
        found = getattr(choice_dataset, "element_spec", None)
        if found != TensorSpec([], "int64"):
            raise TypeError(
                "Dataset.choose_from_datasets: the choices must be a data set of int64 scalars; got "
                f"{describe(choice_dataset) if found is None else found}."
            )
        sources = [d._node for d in datasets]
        return cls._of(
            transforms.DirectedInterleave(choice_dataset._node, sources, bool(stop_on_empty_dataset))
        )


def _choice(logits: Any, seed: Any) -> Tensor:
    found = random.stateless_categorical(logits[None], 1, seed)
    return found[0, 0]


def reduced(
    node: nodes.Node, initial: Any, function: Any, what: str = "Dataset.reduce"
) -> tuple[Any, UserFunction]:
    """The state to begin a reduction with, and its function, whose state may be wider than that."""
    state = normalize(initial)
    spec = map_leaves(spec_of, state)
    while True:
        traced = UserFunction(function, (spec, node.spec), what)
        if len(nest.flatten(spec)) != len(nest.flatten(traced.spec)):
            raise invalid(f"{what}: the state is {spec}; the function gives {traced.spec} instead.")
        wider = transforms.relaxed(spec, traced.spec, what)
        if wider == spec:
            return state, traced
        spec = wider
