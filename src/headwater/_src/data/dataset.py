"""`tf.data.Dataset`: the public face of the expression tree in `nodes`."""

from __future__ import annotations

import os
from collections import abc
from collections.abc import Callable
from typing import Any

import numpy as np

import headwater._src.data.nodes as nodes
import headwater._src.data.transforms as transforms
from headwater._src.base import dtypes, nest
from headwater._src.base.dtypes import as_dtype, int64
from headwater._src.base.errors import invalid
from headwater._src.base.exporting import export
from headwater._src.base.shapes import TensorShape
from headwater._src.base.text import describe
from headwater._src.core.composite import CompositeSpec
from headwater._src.core.context import ctx
from headwater._src.core.convert import convert
from headwater._src.core.spec import Spec, TensorSpec, TypeSpec
from headwater._src.core.tensor import EagerTensor, SymbolicTensor, Tensor, of_array
from headwater._src.data.explain import explained
from headwater._src.data.functions import Pass
from headwater._src.data.generator import Generator
from headwater._src.data.iterator import NumpyIterator, OwnedIterator
from headwater._src.data.more import MoreMethods, flag, positive, reduced
from headwater._src.data.options import Options
from headwater._src.data.structure import (
    NoneTensorSpec,
    component_specs,
    components,
    from_components,
    map_leaves,
    number,
)
from headwater._src.data.templates import completing, stage
from headwater._src.state.host_nodes import held
from headwater._src.state.tracking import Trackable

AUTOTUNE = -1
INFINITE_CARDINALITY = nodes.INFINITE
UNKNOWN_CARDINALITY = nodes.UNKNOWN

for _name in ("AUTOTUNE", "INFINITE_CARDINALITY", "UNKNOWN_CARDINALITY"):
    export(f"data.{_name}", f"data.experimental.{_name}").value(_name, __name__)


@export("data.Dataset")
class DatasetV2(MoreMethods, nest.Composite, Trackable, abc.Iterable):
    """A sequence of elements, made step by step as it is iterated.

    An element is a tensor or a nested tuple or dictionary of tensors. Each method gives a new data set; nothing runs before
    iteration. Functions given to `map` and the like are traced once, like a `tf.function`, and run for each element.

    >>> for batch in tf.data.Dataset.range(5).map(lambda x: x * 10).batch(2):
    ...     print(batch.numpy())
    [ 0 10]
    [20 30]
    [40]
    """

    def __init__(self, node: nodes.Node) -> None:
        if not isinstance(node, nodes.Node):
            raise NotImplementedError(
                "A data set is made by Dataset.range, from_tensors, from_tensor_slices or from_generator; a class derived from "
                "tf.data.Dataset can give one of these from its __new__."
            )
        self._node = node

    @staticmethod
    def _of(node: nodes.Node) -> DatasetV2:
        return DatasetV2(node)

    @staticmethod
    def _spec_of(element_spec: Any) -> DatasetSpec:
        return DatasetSpec(element_spec)

    # -- sources ------------------------------------------------------------------------------------------------------

    @staticmethod
    def range(*args: Any, **kwargs: Any) -> DatasetV2:
        """The integers `range(*args)`.

        Args:
          args: stop; or start and stop; or start, stop and step.
          output_type: their dtype (int64).

        Raises:
          ValueError: not one to three arguments.
          InvalidArgumentError: the step is zero.
        """
        dtype = as_dtype(kwargs.pop("output_type", int64))
        kwargs.pop("name", None)
        if kwargs:
            raise TypeError(f"Dataset.range: unknown keyword arguments {sorted(kwargs)}.")
        if not 1 <= len(args) <= 3:
            raise ValueError(f"Dataset.range takes one to three numbers; got {len(args)}.")
        start, stop, step = (0, args[0], 1) if len(args) == 1 else (*args, 1) if len(args) == 2 else args
        return DatasetV2(nodes.Range((start, stop, step), dtype))

    @staticmethod
    def from_tensors(tensors: Any, name: str | None = None) -> DatasetV2:
        """A single element."""
        return DatasetV2(nodes.Tensors(tensors))

    @staticmethod
    def from_tensor_slices(tensors: Any, name: str | None = None) -> DatasetV2:
        """The rows of a tensor or of a nested structure of tensors; ValueError where their numbers differ or one is a scalar."""
        return DatasetV2(nodes.Slices(tensors))

    @staticmethod
    def from_generator(
        generator: Any, output_types: Any = None, output_shapes: Any = None, args: Any = None, output_signature: Any = None,
        name: str | None = None,
    ) -> DatasetV2:  # fmt: skip
        """What the iterables give that `generator(*args)` makes, a new one for each pass.

        Args:
          generator: a function.
          output_signature: spec of the elements, a nested structure of `tf.TensorSpec` and the like.
          output_types, output_shapes: the older way to say the same.
          args: arguments of `generator`, handed over as arrays.

        Raises:
          TypeError: `generator` is no function, or the signature is missing, given twice or made of other things than specs.
          InvalidArgumentError: during iteration, an element does not fit the signature.
        """
        if not callable(generator):
            raise TypeError(
                f"Dataset.from_generator: generator must be a function; got {describe(generator)}."
            )
        signature = _signature(output_types, output_shapes, output_signature)
        values = tuple(np.asarray(convert(a)) for a in args or ())
        return DatasetV2(Generator(generator, values, signature))

    @staticmethod
    def zip(*args: Any, datasets: Any = None, name: str | None = None) -> DatasetV2:
        """Elements of several data sets side by side, as long as all have one.

        Args:
          args: data sets, or one nested structure (no list) of data sets.
          datasets: the older name of that structure.

        Raises:
          TypeError: no data set, or something else among them.
        """
        if not args and datasets is None:
            raise TypeError("Dataset.zip: give at least one data set.")
        structure = datasets if datasets is not None else args[0] if len(args) == 1 else args
        return DatasetV2(nodes.Zip(map_leaves(lambda d: _node_of(d, "zip"), structure)))

    @staticmethod
    def counter(start: Any = 0, step: Any = 1, dtype: Any = int64, name: str | None = None) -> DatasetV2:
        """The numbers start, start + step, ... without end."""
        dtype = as_dtype(dtype)
        if dtype.is_floating:
            first, distance = convert(start, dtype), convert(step, dtype)
            return DatasetV2.from_tensors(0).repeat().scan(first, lambda s, _: (s + distance, s))  # type: ignore[no-any-return]
        return DatasetV2(nodes.Counter(number(start, "start"), number(step, "step"), dtype))

    # -- transformations ----------------------------------------------------------------------------------------------

    def map(
        self, map_func: Any, num_parallel_calls: Any = None, deterministic: Any = None, synchronous: Any = None,
        use_unbounded_threadpool: bool = False, name: str | None = None,
    ) -> DatasetV2:  # fmt: skip
        """`map_func` of each element; the parts of a tuple are its arguments.

        Args:
          map_func: a function; it is traced once, as by `tf.function`.
          num_parallel_calls: how many calls may run at a time, where the function calls Python code and so may wait.
          deterministic, synchronous, use_unbounded_threadpool: accepted; elements come in order.

        Raises:
          ValueError: `map_func` is no function, or calls are to be parallel and synchronous.
          TypeError: it returns what can't be an element.
          InvalidArgumentError: nothing of what it returns is a tensor.
        """
        if synchronous and num_parallel_calls is not None:
            raise ValueError("Dataset.map: synchronous=True can't be combined with num_parallel_calls.")
        return DatasetV2(transforms.Map(self._node, map_func, _workers(num_parallel_calls, "Dataset.map")))

    def flat_map(self, map_func: Any, name: str | None = None) -> DatasetV2:
        """The elements of the data sets `map_func(element)`, one data set after the other."""
        return DatasetV2(transforms.FlatMap(self._node, map_func))

    def interleave(
        self, map_func: Any, cycle_length: Any = None, block_length: Any = None, num_parallel_calls: Any = None,
        deterministic: Any = None, name: str | None = None,
    ) -> DatasetV2:  # fmt: skip
        """The elements of the data sets `map_func(element)`, in turns.

        Args:
          cycle_length: how many data sets take turns (the number of processors by default).
          block_length: how many elements each gives before the next has its turn (1).
          num_parallel_calls, deterministic: accepted; the order is always the same.
        """
        cycle = (
            os.cpu_count() or 1
            if cycle_length is None or cycle_length == AUTOTUNE
            else number(cycle_length, "cycle_length")
        )
        block = 1 if block_length is None else number(block_length, "block_length")
        if cycle < 1 or block < 1:
            raise invalid(
                f"Dataset.interleave: cycle_length and block_length must be positive; got {cycle} and {block}."
            )
        workers = _workers(num_parallel_calls, "Dataset.interleave")
        if nodes.known(workers) and nodes.known(cycle) and (workers or 0) > cycle:
            raise invalid(
                f"Dataset.interleave: num_parallel_calls can't be more than cycle_length; got {workers} and {cycle}."
            )
        parallel = workers is not None
        return DatasetV2(transforms.Interleave(self._node, map_func, cycle, block, parallel))

    def filter(self, predicate: Any, name: str | None = None) -> DatasetV2:
        """The elements for which `predicate` gives true; ValueError where it gives no boolean scalar."""
        return DatasetV2(transforms.Filter(self._node, predicate))

    def take_while(self, predicate: Any, name: str | None = None) -> DatasetV2:
        """The elements before the first for which `predicate` gives false."""
        return DatasetV2(transforms.TakeWhile(self._node, predicate))

    def batch(
        self, batch_size: Any, drop_remainder: Any = False, num_parallel_calls: Any = None, deterministic: Any = None,
        name: str | None = None,
    ) -> DatasetV2:  # fmt: skip
        """Each `batch_size` elements stacked to one.

        Args:
          batch_size: a positive integer.
          drop_remainder: leave out a last batch that would be smaller.
          num_parallel_calls, deterministic: accepted for compatibility.

        Raises:
          InvalidArgumentError: the size is not positive; or, on iteration, elements differ in shape.
        """
        size = positive(batch_size, "Dataset.batch: batch_size")
        node = nodes.Batch(self._node, size, flag(drop_remainder, "Dataset.batch: drop_remainder"))
        if num_parallel_calls is not None:
            node.name = "_ParallelBatchDataset"
        return DatasetV2(node)

    def unbatch(self, name: str | None = None) -> DatasetV2:
        """The rows of each element; ValueError for scalars and differing first dimensions."""
        return DatasetV2(nodes.Unbatch(self._node))

    def repeat(self, count: Any = None, name: str | None = None) -> DatasetV2:
        """The data set `count` times; for ever where it is None or negative."""
        return DatasetV2(nodes.Repeat(self._node, -1 if count is None else number(count, "count")))

    def shuffle(
        self,
        buffer_size: Any,
        seed: Any = None,
        reshuffle_each_iteration: Any = True,
        name: str | None = None,
    ) -> DatasetV2:
        """The elements in a random order.

        Args:
          buffer_size: from how many elements the next is drawn; UNKNOWN_CARDINALITY for all.
          seed: with the global seed it decides the order.
          reshuffle_each_iteration: whether each pass has an order of its own.

        Raises:
          InvalidArgumentError: the buffer size is neither positive nor UNKNOWN_CARDINALITY.
        """
        size = number(buffer_size, "buffer_size")
        if nodes.known(size) and size < 1 and size != UNKNOWN_CARDINALITY:
            raise invalid(
                f"Dataset.shuffle: buffer_size must be positive or UNKNOWN_CARDINALITY; got {size}."
            )
        what = "Dataset.shuffle: reshuffle_each_iteration"
        reshuffle = True if reshuffle_each_iteration is None else flag(reshuffle_each_iteration, what)
        return DatasetV2(nodes.Shuffle(self._node, size, seed, reshuffle))

    def prefetch(self, buffer_size: Any, name: str | None = None) -> DatasetV2:
        """The same elements, up to `buffer_size` of them made ahead by a thread where the pipeline has something to wait for:
        Python functions, generators. InvalidArgumentError for sizes below AUTOTUNE (-1)."""
        size = AUTOTUNE if buffer_size is None else number(buffer_size, "buffer_size")
        if nodes.known(size) and size < AUTOTUNE:
            raise invalid(f"Dataset.prefetch: buffer_size must be at least 0, or AUTOTUNE (-1); got {size}.")
        return DatasetV2(transforms.Prefetch(self._node, size))

    def take(self, count: Any, name: str | None = None) -> DatasetV2:
        """The first `count` elements; all where it is negative."""
        return DatasetV2(nodes.Take(self._node, number(count, "count")))

    def skip(self, count: Any, name: str | None = None) -> DatasetV2:
        """All but the first `count` elements; none where it is negative."""
        return DatasetV2(nodes.Skip(self._node, number(count, "count")))

    def shard(self, num_shards: Any, index: Any, name: str | None = None) -> DatasetV2:
        """Every `num_shards`-th element, from number `index` on; InvalidArgumentError unless 0 <= index < num_shards."""
        shards, own = number(num_shards, "num_shards"), number(index, "index")
        if nodes.known(shards) and nodes.known(own) and not 0 <= own < shards:
            raise invalid(f"Dataset.shard: 0 <= index < num_shards is needed; got index {own} of {shards}.")
        return DatasetV2(nodes.Shard(self._node, shards, own))

    def enumerate(self, start: Any = 0, name: str | None = None) -> DatasetV2:
        """Pairs of a number (int64, counting from `start`) and an element."""
        first = number(start, "start")
        stop = np.iinfo(np.int64).max + (min(first, 0) if nodes.known(first) else 0)
        return DatasetV2(nodes.Zip((nodes.Range((first, stop, 1), int64), self._node)))

    def concatenate(self, dataset: Any, name: str | None = None) -> DatasetV2:
        """This data set, then the other; TypeError where their elements differ in kind."""
        return DatasetV2(nodes.Concatenate(self._node, _node_of(dataset, "concatenate")))

    def cache(self, filename: Any = "", name: str | None = None) -> DatasetV2:
        """Keeps the elements of the first complete pass for later ones: in memory, or in files whose names begin with
        `filename`, where later programs find them too."""
        path = filename.numpy() if isinstance(filename, Tensor) else filename  # type: ignore[attr-defined]
        if path is not None and not isinstance(path, (str, bytes, os.PathLike)):
            raise TypeError(f"Dataset.cache: filename must be a path; got {describe(filename)}.")
        if path in ("", b"", None):
            return DatasetV2(nodes.Cache(self._node))
        from headwater._src.data.saving import FileCache

        return DatasetV2(FileCache(self._node, path))

    def with_options(self, options: Options, name: str | None = None) -> DatasetV2:
        """The same elements under further options."""
        if not isinstance(options, Options):
            raise TypeError(f"Dataset.with_options: tf.data.Options were expected; got {describe(options)}.")
        return DatasetV2(nodes.Passing(self._node, "_OptionsDataset", options))

    def options(self) -> Options:
        """The options of this data set and those it reads."""
        return self._node.options()

    def apply(self, transformation_func: Callable[[DatasetV2], DatasetV2]) -> DatasetV2:
        """`transformation_func(self)`; TypeError where that is no data set."""
        result = transformation_func(self)
        if not isinstance(result, DatasetV2):
            raise TypeError(
                f"Dataset.apply: the function must give a tf.data.Dataset; got {describe(result)}."
            )
        return result

    # -- results ------------------------------------------------------------------------------------------------------

    def reduce(self, initial_state: Any, reduce_func: Any, name: str | None = None) -> Any:
        """`reduce_func(... reduce_func(initial_state, first) ..., last)`.

        Raises:
          TypeError: the state changes its structure or dtypes.
        """
        state, function = reduced(self._node, initial_state, reduce_func)
        if ctx.graph is None and not _has_symbols(state):
            return _reduce(self._node, state, function)
        parts = stage(_REDUCE, (self._node, state, function), component_specs(function.spec))
        return from_components(function.spec, iter(parts))

    def get_single_element(self, name: str | None = None) -> Any:
        """The only element; InvalidArgumentError unless there is exactly one."""
        if ctx.graph is None:
            return _single(self._node)
        parts = stage(_SINGLE, self._node, component_specs(self.element_spec))
        return from_components(self.element_spec, iter(parts))

    def as_numpy_iterator(self) -> NumpyIterator:
        """An iterator over the elements as NumPy values, which are not writeable; RuntimeError while a graph is built."""
        if ctx.graph is not None:
            raise RuntimeError("Dataset.as_numpy_iterator: there are no values yet while a graph is built.")
        return NumpyIterator(self)

    def cardinality(self) -> Tensor:
        """The number of elements as an int64 scalar, or INFINITE_CARDINALITY or UNKNOWN_CARDINALITY."""
        if ctx.graph is not None and self._node.template:
            return stage(_CARDINALITY, self._node, [Spec((), np.dtype(np.int64))])[0]
        return of_array(np.asarray(self._node.length(), np.int64))

    def explain(self) -> str:
        """How the data set runs: the expression as it was written, and what each part of it became."""
        return explained(self._node)

    @property
    def element_spec(self) -> Any:
        """The specification of the elements, in their structure."""
        return self._node.spec

    @property
    def _type_spec(self) -> DatasetSpec:
        return DatasetSpec(self.element_spec)

    def _nest_flatten(self) -> list[Any]:
        node = self._node
        if isinstance(node, nodes.Given):
            return [node.resource]
        if ctx.graph is None or not node.template:
            return [of_array(held(self))]
        return list(stage(_MAKE, self, [_VARIANT]))

    def _nest_unflatten(self, parts: list[Any]) -> DatasetV2:
        return DatasetSpec(self.element_spec)._from_components(parts[0])

    def __iter__(self) -> OwnedIterator:
        return OwnedIterator(self)

    def __len__(self) -> int:
        length = self._node.length()
        if length == INFINITE_CARDINALITY:
            raise TypeError("The data set is infinite, so it has no len().")
        if length == UNKNOWN_CARDINALITY:
            raise TypeError("The length of the data set is unknown before it is iterated.")
        return length

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"<{self._node.name} element_spec={self.element_spec}>"

    __str__ = __repr__


_VARIANT = Spec((), dtypes.variant.np)


def _has_symbols(value: Any) -> bool:
    return any(isinstance(t, SymbolicTensor) for t in nest.flatten(value, expand_composites=True))


def _reduce(node: nodes.Node, state: Any, function: Any) -> Any:
    run = Pass()
    call = function.bind(run)
    for element in node.run(run):
        state = call(state, element)
    return state


def _single(node: nodes.Node) -> Any:
    iterator = node.run(Pass())
    end = object()
    first = next(iterator, end)
    if first is end or next(iterator, end) is not end:
        raise invalid(
            f"Dataset.get_single_element: exactly one element is needed; there are {'none' if first is end else 'more'}."
        )
    return first


def _arrays(element: Any) -> tuple[np.ndarray, ...]:
    return tuple(t._array for t in components(element))


_MAKE = completing("MakeDataset", True, held)
_REDUCE = completing("ReduceDataset", False, lambda given: _arrays(_reduce(*given)))
_SINGLE = completing("DatasetToSingleElement", False, lambda node: _arrays(_single(node)))
_CARDINALITY = completing("DatasetCardinality", True, lambda node: np.asarray(node.length(), np.int64))


@export("data.DatasetSpec")
class DatasetSpec(CompositeSpec):
    """Specification of a data set that is itself an element or an argument."""

    __slots__ = ("_dataset_shape", "_element_spec")

    def __init__(self, element_spec: Any, dataset_shape: Any = ()) -> None:
        self._element_spec = element_spec
        self._dataset_shape = TensorShape(dataset_shape)

    @property
    def value_type(self) -> type:
        """`tf.data.Dataset`."""
        return DatasetV2

    @property
    def element_spec(self) -> Any:
        """The specification of the elements."""
        return self._element_spec

    def most_specific_common_supertype(self, others: Any) -> TypeSpec | None:
        """The specification of data sets whose elements may be any of those of all; None where there is none."""
        if any(not isinstance(o, DatasetSpec) for o in others):
            return None
        spec = self._element_spec
        try:
            for other in others:
                spec = transforms.relaxed(spec, other._element_spec, "tf.data.DatasetSpec")
        except TypeError:
            return None
        return DatasetSpec(spec, self._dataset_shape)

    def is_compatible_with(self, spec_or_value: Any) -> bool:
        """Whether a data set, or all of another specification, may have such elements."""
        other = getattr(spec_or_value, "_type_spec", spec_or_value)
        return isinstance(other, DatasetSpec) and self.most_specific_common_supertype([other]) == self

    @staticmethod
    def from_value(value: DatasetV2) -> DatasetSpec:
        """The specification of a data set."""
        return DatasetSpec(value.element_spec)

    @property
    def _component_specs(self) -> TensorSpec:
        return TensorSpec((), dtypes.variant)

    def _to_components(self, value: DatasetV2) -> Any:
        return value._nest_flatten()[0]

    def _from_components(self, resource: Any) -> DatasetV2:
        if isinstance(resource, EagerTensor):
            return resource._array[()]  # type: ignore[return-value]
        return DatasetV2(nodes.Given(resource, self._element_spec))

    def _key(self) -> tuple[Any, ...]:
        return repr(self._element_spec), self._dataset_shape

    def __repr__(self) -> str:
        return f"DatasetSpec({self._element_spec!r}, {self._dataset_shape!r})"


# -- arguments --------------------------------------------------------------------------------------------------------


def _workers(count: Any, what: str) -> int | None:
    if count is None:
        return None
    workers = number(count, what)
    if workers < 1 and workers != AUTOTUNE:
        raise invalid(f"{what}: num_parallel_calls must be positive or AUTOTUNE; got {workers}.")
    return workers  # type: ignore[no-any-return]


def _node_of(dataset: Any, method: str) -> nodes.Node:
    if not isinstance(dataset, DatasetV2):
        hint = " Use a tuple instead of a list." if isinstance(dataset, list) else ""
        raise TypeError(f"Dataset.{method}: a tf.data.Dataset was expected; got {describe(dataset)}.{hint}")
    return dataset._node


def _signature(types: Any, shapes: Any, signature: Any) -> Any:
    if signature is None:
        if types is None:
            raise TypeError(
                "Dataset.from_generator: give output_signature, for example tf.TensorSpec([None], tf.float32)."
            )
        if shapes is None:
            return map_leaves(lambda t: TensorSpec(None, t), types)
        dims = iter(_shapes_like(types, shapes))
        return map_leaves(lambda t: TensorSpec(next(dims), t), types)
    if types is not None or shapes is not None:
        raise TypeError(
            "Dataset.from_generator: output_signature can't be combined with output_types or output_shapes."
        )
    for spec in nest.flatten(signature):
        if spec is not None and not isinstance(spec, TypeSpec):
            raise TypeError(
                f"Dataset.from_generator: output_signature is made of specs such as tf.TensorSpec; got {describe(spec)}."
            )
    return _tuples(map_leaves(lambda s: NoneTensorSpec() if s is None else s, signature))


def _tuples(structure: Any) -> Any:
    """The structure with tuples for its lists: a list in an element would be a tensor in the making."""
    return map_leaves(lambda part: tuple(map(_tuples, part)) if isinstance(part, list) else part, structure)


def _shapes_like(types: Any, shapes: Any) -> list[Any]:
    found: list[Any] = []
    nest.map_structure_up_to(types, lambda _, s: found.append(s), types, shapes)
    return found


# -- functions of tf.data.experimental --------------------------------------------------------------------------------


@export("data.experimental.cardinality")
def cardinality(dataset: DatasetV2) -> Tensor:
    """The same as `dataset.cardinality()`."""
    return dataset.cardinality()


@export("data.experimental.get_single_element")
def get_single_element(dataset: DatasetV2) -> Any:
    """The same as `dataset.get_single_element()`."""
    return dataset.get_single_element()


@export("data.experimental.get_next_as_optional")
def get_next_as_optional(iterator: Any) -> Any:
    """The same as `iterator.get_next_as_optional()`."""
    return iterator.get_next_as_optional()


@export("data.experimental.get_structure")
def get_structure(dataset_or_iterator: Any) -> Any:
    """The same as `dataset_or_iterator.element_spec`."""
    if not hasattr(dataset_or_iterator, "element_spec"):
        raise TypeError(
            "tf.data.experimental.get_structure: a data set or an iterator was expected; got "
            f"{describe(dataset_or_iterator)}."
        )
    return dataset_or_iterator.element_spec
