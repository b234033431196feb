"""`tf.data.experimental`: older names of methods, and a few transformations that are no methods."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import headwater._src.data.nodes as nodes
import headwater._src.data.transforms as transforms
from headwater._src.base.dtypes import int64
from headwater._src.base.errors import FailedPreconditionError, OutOfRangeError, invalid
from headwater._src.base.exporting import export
from headwater._src.core.convert import host_int
from headwater._src.core.spec import TensorSpec
from headwater._src.core.tensor import Tensor, of_array
from headwater._src.data.dataset import DatasetV2
from headwater._src.data.files import CsvDatasetV2, TFRecordDatasetV2
from headwater._src.data.functions import Pass, UserFunction, arguments, of_elements
from headwater._src.data.structure import map_leaves, spec_of
from headwater._src.io.parsing import parse_example
from headwater._src.io.records import TFRecordWriter as RecordWriter

_Applied = Callable[[DatasetV2], DatasetV2]
SHARD_HINT = -1
export("data.experimental.SHARD_HINT").value("SHARD_HINT", __name__)

# -- older names ------------------------------------------------------------------------------------------------------


@export("data.experimental.Counter")
def counter(start: Any = 0, step: Any = 1, dtype: Any = int64) -> DatasetV2:
    """The same as `Dataset.counter`."""
    return DatasetV2.counter(start, step, dtype)


class RandomDatasetV2(DatasetV2):
    """The same as `Dataset.random`."""

    def __init__(
        self, seed: Any = None, rerandomize_each_iteration: Any = None, name: str | None = None
    ) -> None:
        super().__init__(nodes.RandomNumbers(seed, bool(rerandomize_each_iteration)))


export("data.experimental.RandomDataset")(RandomDatasetV2)


@export("data.experimental.from_list")
def from_list(elements: Any, name: str | None = None) -> DatasetV2:
    """A data set of the elements of a list, which have one structure.

    Raises:
      ValueError: the list is empty.
    """
    if not isinstance(elements, list) or not elements:
        raise ValueError(
            f"tf.data.experimental.from_list: a list with at least one element is needed; got {elements!r}."
        )
    values = [nodes.normalize(e) for e in elements]
    spec = map_leaves(spec_of, values[0])
    for value in values[1:]:
        spec = transforms.relaxed(spec, map_leaves(spec_of, value), "tf.data.experimental.from_list")
    node = transforms.Elements(values, spec)
    node.name = "_ListDataset"
    return DatasetV2(node)


@export("data.experimental.choose_from_datasets")
def choose_from_datasets(
    datasets: Any, choice_dataset: Any, stop_on_empty_dataset: bool = False
) -> DatasetV2:
    """The same as `Dataset.choose_from_datasets`."""
    return DatasetV2.choose_from_datasets(datasets, choice_dataset, stop_on_empty_dataset)


@export("data.experimental.sample_from_datasets")
def sample_from_datasets(
    datasets: Any, weights: Any = None, seed: Any = None, stop_on_empty_dataset: bool = False
) -> DatasetV2:
    """The same as `Dataset.sample_from_datasets`."""
    return DatasetV2.sample_from_datasets(datasets, weights, seed, stop_on_empty_dataset)


@export("data.experimental.load")
def load(path: Any, element_spec: Any = None, compression: Any = None, reader_func: Any = None) -> DatasetV2:
    """The same as `Dataset.load`."""
    return DatasetV2.load(path, element_spec, compression, reader_func)


@export("data.experimental.save")
def save(
    dataset: DatasetV2,
    path: Any,
    compression: Any = None,
    shard_func: Any = None,
    checkpoint_args: Any = None,
) -> None:
    """The same as `dataset.save`."""
    dataset.save(path, compression, shard_func, checkpoint_args)


@export("data.experimental.enumerate_dataset")
def enumerate_dataset(start: Any = 0) -> _Applied:
    """For `Dataset.apply`: the same as `enumerate`."""
    return lambda dataset: dataset.enumerate(start)


@export("data.experimental.unbatch")
def unbatch() -> _Applied:
    """For `Dataset.apply`: the same as `unbatch`."""
    return lambda dataset: dataset.unbatch()


@export("data.experimental.unique")
def unique() -> _Applied:
    """For `Dataset.apply`: the same as `unique`."""
    return lambda dataset: dataset.unique()


@export("data.experimental.ignore_errors")
def ignore_errors(log_warning: bool = False) -> _Applied:
    """For `Dataset.apply`: the same as `ignore_errors`."""
    return lambda dataset: dataset.ignore_errors(log_warning)


@export("data.experimental.take_while")
def take_while(predicate: Any) -> _Applied:
    """For `Dataset.apply`: the same as `take_while`."""
    return lambda dataset: dataset.take_while(predicate)


@export("data.experimental.scan")
def scan(initial_state: Any, scan_func: Any) -> _Applied:
    """For `Dataset.apply`: the same as `scan`."""
    return lambda dataset: dataset.scan(initial_state, scan_func)


@export("data.experimental.snapshot")
def snapshot(
    path: Any, compression: Any = "AUTO", reader_func: Any = None, shard_func: Any = None
) -> _Applied:
    """For `Dataset.apply`: the same as `snapshot`."""
    return lambda dataset: dataset.snapshot(path, compression, reader_func, shard_func)


@export("data.experimental.group_by_window")
def group_by_window(
    key_func: Any, reduce_func: Any, window_size: Any = None, window_size_func: Any = None
) -> _Applied:
    """For `Dataset.apply`: the same as `group_by_window`."""
    return lambda dataset: dataset.group_by_window(key_func, reduce_func, window_size, window_size_func)


@export("data.experimental.bucket_by_sequence_length")
def bucket_by_sequence_length(
    element_length_func: Any, bucket_boundaries: Any, bucket_batch_sizes: Any, padded_shapes: Any = None,
    padding_values: Any = None, pad_to_bucket_boundary: bool = False, no_padding: bool = False, drop_remainder: bool = False,
) -> _Applied:  # fmt: skip
    """For `Dataset.apply`: the same as `bucket_by_sequence_length`."""
    return lambda dataset: dataset.bucket_by_sequence_length(
        element_length_func, bucket_boundaries, bucket_batch_sizes, padded_shapes, padding_values, pad_to_bucket_boundary,
        no_padding, drop_remainder,
    )  # fmt: skip


@export("data.experimental.rejection_resample")
def rejection_resample(
    class_func: Any, target_dist: Any, initial_dist: Any = None, seed: Any = None
) -> _Applied:
    """For `Dataset.apply`: the same as `rejection_resample`."""
    return lambda dataset: dataset.rejection_resample(class_func, target_dist, initial_dist, seed)


@export("data.experimental.dense_to_sparse_batch")
def dense_to_sparse_batch(batch_size: Any, row_shape: Any) -> _Applied:
    """For `Dataset.apply`: the same as `sparse_batch`."""
    return lambda dataset: dataset.sparse_batch(batch_size, row_shape)


@export("data.experimental.dense_to_ragged_batch")
def dense_to_ragged_batch(
    batch_size: Any, drop_remainder: bool = False, row_splits_dtype: Any = int64
) -> _Applied:
    """For `Dataset.apply`: the same as `ragged_batch`."""
    return lambda dataset: dataset.ragged_batch(batch_size, drop_remainder, row_splits_dtype)


@export("data.experimental.map_and_batch")
def map_and_batch(
    map_func: Any, batch_size: Any, num_parallel_batches: Any = None, drop_remainder: bool = False,
    num_parallel_calls: Any = None,
) -> _Applied:  # fmt: skip
    """For `Dataset.apply`: `map`, then `batch`."""
    if num_parallel_batches is not None and num_parallel_calls is not None:
        raise ValueError(
            "tf.data.experimental.map_and_batch: give num_parallel_batches or num_parallel_calls, not both."
        )
    return lambda dataset: dataset.map(map_func, num_parallel_calls).batch(batch_size, drop_remainder)


@export("data.experimental.parallel_interleave")
def parallel_interleave(
    map_func: Any, cycle_length: Any, block_length: Any = 1, sloppy: Any = False, buffer_output_elements: Any = None,
    prefetch_input_elements: Any = None,
) -> _Applied:  # fmt: skip
    """For `Dataset.apply`: the same as `interleave`."""
    return lambda dataset: dataset.interleave(map_func, cycle_length, block_length)


@export("data.experimental.shuffle_and_repeat")
def shuffle_and_repeat(buffer_size: Any, count: Any = None, seed: Any = None) -> _Applied:
    """For `Dataset.apply`: `shuffle`, then `repeat`."""
    return lambda dataset: dataset.shuffle(buffer_size, seed).repeat(count)


@export("data.experimental.copy_to_device")
def copy_to_device(target_device: Any, source_device: Any = "/cpu:0") -> _Applied:
    """For `Dataset.apply`: the data set itself; elements are where NumPy can read them, and move when they are used."""
    return lambda dataset: dataset


@export("data.experimental.prefetch_to_device")
def prefetch_to_device(device: Any, buffer_size: Any = None) -> _Applied:
    """For `Dataset.apply`: the same as `prefetch`."""
    return lambda dataset: dataset.prefetch(buffer_size)


@export("data.experimental.to_variant")
def to_variant(dataset: DatasetV2) -> Tensor:
    """A scalar tensor that holds the data set."""
    return dataset._nest_flatten()[0]  # type: ignore[no-any-return]


@export("data.experimental.from_variant")
def from_variant(variant: Any, structure: Any) -> DatasetV2:
    """The data set that a tensor holds; `structure` is the specification of its elements."""
    return DatasetV2._spec_of(structure)._from_components(variant)


# -- transformations --------------------------------------------------------------------------------------------------


class _Counted(nodes.Node):
    """The input, which must have so many elements."""

    name = "_AssertCardinalityDataset"

    def __init__(self, source: nodes.Node, count: int) -> None:
        super().__init__(source)
        self.count = count

    def run(self, state: Pass) -> Iterator[Any]:
        seen = 0
        for element in self.input.run(state):
            seen += 1
            if seen > self.count >= 0:
                raise FailedPreconditionError(
                    None, None, f"The data set has more than the {self.count} elements promised."
                )
            yield element
        if seen != self.count and self.count != nodes.UNKNOWN:
            promised = "endless" if self.count == nodes.INFINITE else f"of {self.count} elements"
            raise FailedPreconditionError(
                None, None, f"The data set has {seen} elements; it was promised to be {promised}."
            )

    def length(self) -> int:
        return self.count


@export("data.experimental.assert_cardinality")
def assert_cardinality(expected_cardinality: Any) -> _Applied:
    """For `Dataset.apply`: says how many elements there are; FailedPreconditionError, on iteration, if it is not so."""
    count = host_int(expected_cardinality, "tf.data.experimental.assert_cardinality")
    return lambda dataset: DatasetV2(_Counted(dataset._node, count))


@export("data.experimental.at")
def at(dataset: DatasetV2, index: Any) -> Any:
    """The element of that number; OutOfRangeError where there is none."""
    number = host_int(index, "tf.data.experimental.at")
    if number >= 0:
        for element in dataset.skip(number).take(1):
            return element
    raise OutOfRangeError(
        None, None, f"tf.data.experimental.at: the data set has no element number {number}."
    )


class _Padded(nodes.Node):
    """A dictionary of the element and of whether it is one, with zeros behind the last."""

    name = "_PadToCardinalityDataset"

    def __init__(self, source: nodes.Node, count: int, key: str) -> None:
        super().__init__(source)
        if not isinstance(source.spec, dict):
            raise ValueError(
                f"tf.data.experimental.pad_to_cardinality: elements must be dictionaries; got {source.spec}."
            )
        if source.length() < 0:
            raise ValueError(
                "tf.data.experimental.pad_to_cardinality: the number of elements must be known; "
                "tf.data.experimental.assert_cardinality states it."
            )
        if source.length() > count:
            raise ValueError(
                f"tf.data.experimental.pad_to_cardinality: there are {source.length()} elements, more than {count}."
            )
        self.count, self.key = count, key
        self.spec = {**source.spec, key: TensorSpec([], "bool")}

    def run(self, state: Pass) -> Iterator[Any]:
        seen, last = 0, None
        for last in self.input.run(state):
            seen += 1
            yield {**last, self.key: of_array(np.asarray(True))}
        if last is None or seen > self.count:
            raise invalid(f"pad_to_cardinality: {seen} elements can't be filled up to {self.count}.")
        filler = {
            **map_leaves(lambda t: of_array(np.zeros_like(t._array)), last),
            self.key: of_array(np.asarray(False)),
        }
        for _ in range(self.count - seen):
            yield filler

    def length(self) -> int:
        return self.count


@export("data.experimental.pad_to_cardinality")
def pad_to_cardinality(cardinality: Any, mask_key: str = "valid") -> _Applied:
    """For `Dataset.apply`: elements of zeros behind the last, up to so many; `mask_key` tells real ones from these."""
    count = host_int(cardinality, "tf.data.experimental.pad_to_cardinality")
    return lambda dataset: DatasetV2(_Padded(dataset._node, count, mask_key))


@export("data.experimental.Reducer")
class Reducer:
    """Three functions that reduce a group: the first state, the next one, and the result of the last.

    Args:
      init_func: a state, from the group's key.
      reduce_func: the next state, from a state and an element.
      finalize_func: the result, from the last state.
    """

    def __init__(self, init_func: Any, reduce_func: Any, finalize_func: Any) -> None:
        self._functions = init_func, reduce_func, finalize_func

    init_func = property(lambda self: self._functions[0])
    reduce_func = property(lambda self: self._functions[1])
    finalize_func = property(lambda self: self._functions[2])


class _GroupByReducer(nodes.Node):
    name = "_GroupByReducerDataset"

    def __init__(self, source: nodes.Node, key: Any, reducer: Reducer) -> None:
        super().__init__(source)
        what = "tf.data.experimental.group_by_reducer"
        number = TensorSpec([], "int64")
        self.function = UserFunction(key, arguments(source.spec), what)
        if self.function.spec != number:
            raise ValueError(f"{what}: key_func must give an int64 scalar; it gives {self.function.spec}.")
        self.first = UserFunction(reducer.init_func, (number,), what)
        spec = self.first.spec
        while True:
            self.step = UserFunction(reducer.reduce_func, (spec, source.spec), what)
            wider = transforms.relaxed(spec, self.step.spec, what)
            if wider == spec:
                break
            spec = wider
        self.last = UserFunction(reducer.finalize_func, arguments(spec), what)
        self.state_spec, self.spec = spec, self.last.spec

    def run(self, state: Pass) -> Iterator[Any]:
        key_of = of_elements(self.function, self.input.spec, state)
        first, step = self.first.bind(state), self.step.bind(state)
        last = of_elements(self.last, self.state_spec, state)
        groups: dict[int, Any] = {}
        for element in self.input.run(state):
            key = key_of(element)
            number = int(key._array)
            before = groups[number] if number in groups else first(key)
            groups[number] = step(before, element)
        yield from (last(groups[k]) for k in sorted(groups))

    def length(self) -> int:
        return nodes.UNKNOWN


@export("data.experimental.group_by_reducer")
def group_by_reducer(key_func: Any, reducer: Reducer) -> _Applied:
    """For `Dataset.apply`: one element for each key, in the order of keys, which `reducer` makes of the elements of that key."""
    if not isinstance(reducer, Reducer):
        raise TypeError(f"tf.data.experimental.group_by_reducer: a Reducer is needed; got {reducer!r}.")
    return lambda dataset: DatasetV2(_GroupByReducer(dataset._node, key_func, reducer))


# -- files ------------------------------------------------------------------------------------------------------------


@export("data.experimental.TFRecordWriter")
class TFRecordWriter:
    """Writes a data set of string scalars to a TFRecord file: `TFRecordWriter(name).write(dataset)`."""

    def __init__(self, filename: Any, compression_type: Any = None) -> None:
        self._filename, self._compression = filename, compression_type

    def write(self, dataset: DatasetV2) -> None:
        """Writes all elements; TypeError unless they are string scalars."""
        found = dataset.element_spec if isinstance(dataset, DatasetV2) else dataset
        if found != TensorSpec([], "string"):
            raise TypeError(f"TFRecordWriter.write: a data set of string scalars was expected; got {found}.")
        with RecordWriter(self._filename, self._compression) as writer:
            for element in dataset:
                writer.write(element._array[()])


@export("data.experimental.parse_example_dataset")
def parse_example_dataset(features: Any, num_parallel_calls: Any = 1, deterministic: Any = None) -> _Applied:
    """For `Dataset.apply`: `tf.io.parse_example` of each vector of strings."""
    if features is None:
        raise ValueError("tf.data.experimental.parse_example_dataset: features are missing.")

    def parsed(dataset: DatasetV2) -> DatasetV2:
        if dataset.element_spec not in (TensorSpec([None], "string"), TensorSpec(None, "string")):
            raise TypeError(
                "tf.data.experimental.parse_example_dataset: elements must be vectors of strings; got "
                f"{dataset.element_spec}."
            )
        return dataset.map(lambda serialized: parse_example(serialized, features))

    return parsed


@export("data.experimental.make_batched_features_dataset")
def make_batched_features_dataset(
    file_pattern: Any, batch_size: Any, features: Any, reader: Any = None, label_key: Any = None, reader_args: Any = None,
    num_epochs: Any = None, shuffle: bool = True, shuffle_buffer_size: Any = 10000, shuffle_seed: Any = None,
    prefetch_buffer_size: Any = None, reader_num_threads: Any = None, parser_num_threads: Any = None,
    sloppy_ordering: bool = False, drop_final_batch: bool = False,
) -> DatasetV2:  # fmt: skip
    """Batches of parsed `tf.train.Example` records out of files, as dictionaries, or pairs with the label.

    Raises:
      ValueError: `label_key` is no feature.
    """
    files = DatasetV2.list_files(file_pattern, shuffle=shuffle, seed=shuffle_seed)
    made = reader or TFRecordDatasetV2
    records = files.interleave(lambda f: made(f, *(reader_args or ())), cycle_length=reader_num_threads or 1)
    if shuffle:
        records = records.shuffle(shuffle_buffer_size, shuffle_seed)
    if num_epochs != 1:
        records = records.repeat(num_epochs)
    parsed = records.batch(batch_size, drop_final_batch or num_epochs is None).map(
        lambda s: parse_example(s, features)
    )
    if label_key:
        if label_key not in features:
            raise ValueError(
                f"make_batched_features_dataset: the label {label_key!r} is none of {sorted(features)}."
            )
        parsed = parsed.map(lambda row: ({k: v for k, v in row.items() if k != label_key}, row[label_key]))
    return parsed.prefetch(1 if prefetch_buffer_size is None else prefetch_buffer_size)


@export("data.experimental.make_csv_dataset")
def make_csv_dataset(
    file_pattern: Any, batch_size: Any, column_names: Any = None, column_defaults: Any = None, label_name: Any = None,
    select_columns: Any = None, field_delim: str = ",", use_quote_delim: bool = True, na_value: str = "", header: bool = True,
    num_epochs: Any = None, shuffle: bool = True, shuffle_buffer_size: Any = 10000, shuffle_seed: Any = None,
    prefetch_buffer_size: Any = None, num_parallel_reads: Any = None, sloppy: bool = False, num_rows_for_inference: Any = 100,
    compression_type: Any = None, ignore_errors: bool = False, encoding: str = "utf-8",
) -> DatasetV2:  # fmt: skip
    """Batches of rows of files of comma-separated values, as dictionaries of columns, or pairs with the label.

    See `headwater._src.data.csv_tables` for how names and dtypes are found where they are not given.
    """
    from headwater._src.data.csv_tables import Table

    table = Table(
        file_pattern, column_names, column_defaults, label_name, select_columns, field_delim, use_quote_delim, na_value,
        header, num_rows_for_inference, compression_type, encoding,
    )  # fmt: skip
    files = DatasetV2.list_files(table.files, shuffle=False)
    if shuffle:
        files = files.shuffle(len(table.files), shuffle_seed)
    rows = files.interleave(
        lambda f: CsvDatasetV2(
            f,
            table.defaults,
            compression_type,
            None,
            header,
            field_delim,
            use_quote_delim,
            na_value,
            table.select,
        ),
        cycle_length=num_parallel_reads or 1,
    )
    if ignore_errors:
        rows = rows.ignore_errors()
    if num_epochs != 1 and shuffle:
        rows = rows.shuffle(shuffle_buffer_size, shuffle_seed).repeat(num_epochs)
    elif shuffle:
        rows = rows.shuffle(shuffle_buffer_size, shuffle_seed)
    elif num_epochs != 1:
        rows = rows.repeat(num_epochs)
    batches = rows.batch(batch_size, drop_remainder=num_epochs is None)
    return batches.map(table.row).prefetch(1 if prefetch_buffer_size is None else prefetch_buffer_size)
