"""Extension types: classes of typed fields that hold tensors and travel wherever tensors do.

`class MaskedTensor(tf.experimental.ExtensionType): values: tf.Tensor; mask: tf.Tensor` gets a constructor that checks and converts,
fields that can't be changed, and a specification `MaskedTensor.Spec`. Fields that are tensors or composite tensors are its
components; all others are part of the specification, so two values that differ in them are of two types.
"""

from __future__ import annotations

import abc
import functools
import inspect
import re
import typing
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import headwater._src.ops.compare as compare
import headwater._src.ops.joining as joining
import headwater._src.ops.layout as layout
import headwater._src.ops.math as math
import headwater._src.ops.reduce as reduce
from headwater._src.base import nest
from headwater._src.base.exporting import export
from headwater._src.base.shapes import TensorShape, wrap
from headwater._src.core.composite import CompositeSpec, SparseTensorSpec
from headwater._src.core.extension_fields import (
    NO_DEFAULT,
    Field,
    convert_fields,
    field,
    is_reserved,
    leaves,
    map_values,
    merged,
    plain,
)
from headwater._src.core.op import Op
from headwater._src.core.ragged import RaggedTensorSpec
from headwater._src.core.spec import TensorSpec, TypeSpec
from headwater._src.core.tensor import Tensor

_CONSTRUCTING = "_tf_extension_type_in_constructor"
_CACHED_SPEC = "_tf_extension_type_cached_type_spec"
_CACHED_COMPONENTS = "_tf_extension_type_cached_components"
_CACHED_FORM = "_tf_extension_type_cached_form"
_MUTABLE = ("_keras_mask",)
registered: dict[str, type[TypeSpec]] = {}
"""Spec classes by the names that their types gave themselves."""
_REGISTERED_NAME = re.compile(r"^(\w[\w-]*\.)+\w+$")


class _Fields:
    """What extension types and their specifications share: fields in `__dict__` that only a constructor may set."""

    @classmethod
    def _tf_extension_type_fields(cls) -> tuple[Field, ...]:
        raise NotImplementedError

    def __setattr__(self, name: str, value: Any) -> None:
        _check_mutable(self, name)
        self.__dict__[name] = value

    def __delattr__(self, name: str) -> None:
        _check_mutable(self, name)
        del self.__dict__[name]

    def __validate__(self) -> None:
        """Called at the end of construction; subclasses raise here if fields do not fit each other."""


def _check_mutable(value: Any, name: str) -> None:
    if name in _MUTABLE:
        return
    if _CONSTRUCTING not in value.__dict__ or all(name != f.name for f in value._tf_extension_type_fields()):
        raise AttributeError(
            f"{type(value).__qualname__}.{name} can't be changed: extension types are immutable, and only their constructor may "
            "set their fields. Make another value."
        )


def _create(cls: type, fields: Any) -> Any:
    """An object of the class with these fields, past its constructor."""
    made: Any = object.__new__(cls)
    made.__dict__.update(fields)
    return made


def _parts(value: Any) -> list[Any]:
    """The values of the fields of an extension type or specification, in order."""
    return [value.__dict__[f.name] for f in value._tf_extension_type_fields()]


def _components(value: Any) -> list[Any]:
    """The tensors and composite tensors among the fields."""
    return [v for v in leaves(_parts(value)) if isinstance(v, (Tensor, nest.Composite))]


# -- values -----------------------------------------------------------------------------------------------------------


@export("experimental.ExtensionType")
class ExtensionType(_Fields, nest.Composite, metaclass=abc.ABCMeta):
    """Base of classes with typed fields that work wherever tensors do: in functions, conditionals, loops and datasets.

    Fields are annotated with `tf.Tensor`, a composite tensor's class, another extension type, int, float, bool, str, bytes, None,
    `tf.DType`, `tf.TensorShape`, or `typing.Union`, `typing.Optional`, `tuple[...]` and `typing.Mapping[...]` of those. A class gets

    * a constructor that takes the fields, converts tensors and checks everything else, then calls `__validate__`;
    * a specification, `MyType.Spec`, whose fields are specifications where the type's are tensors;
    * `==`, which compares specification and tensors.

    Raises:
      AssertionError: this class itself is called.
      TypeError: at the definition, for an annotation of another kind; at construction, for a value that does not fit.
      ValueError: at the definition, for a reserved name or an attribute without annotation.
      AttributeError: a field is set or deleted.

    >>> class Weighted(tf.experimental.ExtensionType):
    ...     values: tf.Tensor
    ...     name: str = "w"
    >>> Weighted([1.0, 2.0])._type_spec
    Weighted.Spec(values=TensorSpec(shape=(2,), dtype=tf.float32, name=None), name='w')
    """

    Spec: Any
    _tf_extension_type_cached_fields: ClassVar[tuple[Field, ...]]
    _has_gradient = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.__dict__.get("_tf_extension_type_do_not_transform_this_class"):
            return
        _check_attributes(cls)
        if "__init__" in cls.__dict__:
            _wrap_constructor(cls)
        else:
            _add_constructor(cls, cls._tf_extension_type_fields(), keep_defaults=True)
        _add_spec(cls)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if type(self) is ExtensionType:
            raise AssertionError("tf.experimental.ExtensionType is a base class: make a class of your own.")

    @classmethod
    def _tf_extension_type_fields(cls) -> tuple[Field, ...]:
        known = cls.__dict__.get("_tf_extension_type_cached_fields")
        if known is not None:
            return known
        hints, resolved = _hints(cls)
        fields = tuple(field(n, kind, getattr(cls, n, NO_DEFAULT)) for n, kind in hints.items())
        if resolved:
            cls._tf_extension_type_cached_fields = fields
        return fields

    def _nest_flatten(self) -> list[Any]:
        return nest.flatten(_components(self), expand_composites=True)

    def _nest_unflatten(self, parts: list[Any]) -> Any:
        feed = iter(parts)

        def replaced(value: Any) -> Any:
            if isinstance(value, nest.Composite):
                return value._nest_unflatten([next(feed) for _ in value._nest_flatten()])
            return next(feed) if isinstance(value, Tensor) else value

        return _create(
            type(self),
            {f.name: map_values(replaced, self.__dict__[f.name]) for f in self._tf_extension_type_fields()},
        )

    @property
    def _type_spec(self) -> Any:
        found = self.__dict__.get(_CACHED_SPEC)
        if found is None:
            found = self.__dict__[_CACHED_SPEC] = self.Spec.from_value(self)
        return found

    def __headwater_dispatch__(self, record: Op, args: Any, attrs: Any) -> Any:
        if record.name in ("StopGradient", "Identity"):
            return self._nest_unflatten([record.entry(t) for t in self._nest_flatten()])  # type: ignore[attr-defined]
        return NotImplemented

    def __eq__(self, other: object) -> Any:
        if type(self) is not type(other) or self._type_spec != other._type_spec:  # type: ignore[attr-defined]
            return False
        pairs = list(zip(self._nest_flatten(), other._nest_flatten(), strict=True))  # type: ignore[attr-defined]
        tests = [t for x, y in pairs for t in _equal(x, y)]
        return reduce.reduce_all(joining.stack(tests)) if tests else True

    def __ne__(self, other: object) -> Any:
        same = self == other
        return not same if isinstance(same, bool) else compare.logical_not(same)

    __hash__ = None  # type: ignore[assignment]

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k not in (*_MUTABLE, _CACHED_SPEC)}

    def __repr__(self) -> str:
        fields = ", ".join(f"{f.name}={getattr(self, f.name)!r}" for f in self._tf_extension_type_fields())
        return f"{type(self).__qualname__}({fields})"


def _equal(x: Any, y: Any) -> Iterator[Any]:
    """Tests that are true for equal tensors of one specification."""
    if not x.shape.is_fully_defined():
        dims_x, dims_y = layout.shape(x), layout.shape(y)
        yield compare.equal(layout.size(dims_x), layout.size(dims_y))
        yield _starts_equal(dims_x, dims_y)
        x, y = layout.reshape(x, [-1]), layout.reshape(y, [-1])
    yield _starts_equal(x, y)


def _starts_equal(x: Any, y: Any) -> Any:
    """Whether two tensors of one rank are equal; of vectors of different lengths, whether one is how the other begins."""
    if not x.shape.is_fully_defined():
        count = math.minimum(layout.size(x), layout.size(y))
        x, y = x[:count], y[:count]
    return reduce.reduce_all(compare.equal(x, y))


@export("experimental.extension_type.as_dict")
def as_dict(value: Any) -> dict[str, Any]:
    """The fields of an extension type by their names; those of types inside stay as they are."""
    return {f.name: getattr(value, f.name) for f in value._tf_extension_type_fields()}


# -- making classes ---------------------------------------------------------------------------------------------------


def _hints(cls: type) -> tuple[dict[str, Any], bool]:
    """Annotations by the names of fields, and whether all classes in them are known already."""
    try:
        hints, resolved = typing.get_type_hints(cls), True
    except (NameError, AttributeError):
        hints, resolved = {}, False
        for base in reversed(cls.__mro__):
            hints.update(inspect.get_annotations(base))
    return {k: v for k, v in hints.items() if k not in inspect.get_annotations(ExtensionType)}, resolved


def _check_attributes(cls: type) -> None:
    annotations = inspect.get_annotations(cls)
    for name, value in cls.__dict__.items():
        if name == "Spec":
            if not isinstance(value, type) or value.__bases__ not in ((TypeSpec,), (object,)):
                raise ValueError(
                    f"{cls.__qualname__}.Spec must be a nested class, derived from tf.TypeSpec or nothing; got {value!r}."
                )
        elif is_reserved(name):
            raise ValueError(f"{cls.__qualname__}: the name {name!r} is reserved.")
        elif not (
            name in annotations
            or callable(value)
            or name.startswith(("_abc_", "__"))
            and (name.startswith("_abc_") or name.endswith("__"))
            or isinstance(value, (property, classmethod, staticmethod))
        ):
            raise ValueError(
                f"{cls.__qualname__}: the attribute {name!r} has no type annotation; each field needs one."
            )
    for name in annotations:
        if is_reserved(name):
            raise ValueError(
                f"{cls.__qualname__}: the name {name!r} is reserved; give the field another one."
            )


def _wrap_constructor(cls: Any, specs: bool = False) -> None:
    given = cls.__init__

    @functools.wraps(given)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807 - it is the class's constructor
        self.__dict__[_CONSTRUCTING] = True
        try:
            given(self, *args, **kwargs)
        finally:
            self.__dict__.pop(_CONSTRUCTING, None)
        convert_fields(self._tf_extension_type_fields(), self.__dict__, specs)
        self.__validate__()

    cls.__init__ = __init__


def _add_constructor(cls: Any, fields: tuple[Field, ...], keep_defaults: bool) -> None:
    """A constructor that takes the fields in order; those without default behind one with a default are keyword-only."""
    parameters, seen_default = [], False
    kind: Any = inspect.Parameter.POSITIONAL_OR_KEYWORD
    for f in fields:
        default = inspect.Parameter.empty
        if keep_defaults and f.default is not NO_DEFAULT:
            default, seen_default = f.default, True
        elif seen_default:
            kind = inspect.Parameter.KEYWORD_ONLY
        annotation = f.value_type if keep_defaults else inspect.Parameter.empty
        parameters.append(inspect.Parameter(f.name, kind, default=default, annotation=annotation))
    signature = inspect.Signature(parameters)
    names = [f.name for f in fields]
    simple = kind is inspect.Parameter.POSITIONAL_OR_KEYWORD

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807 - it is the class's constructor
        if simple and not kwargs and len(args) == len(names):
            values = dict(zip(names, args, strict=True))
        else:
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            values = dict(bound.arguments)
        self.__dict__.update(values)
        convert_fields(self._tf_extension_type_fields(), self.__dict__, specs=not keep_defaults)
        self.__validate__()

    own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    __init__.__signature__ = inspect.Signature([own, *parameters], return_annotation=cls)  # type: ignore[attr-defined]
    cls.__init__ = __init__


def _add_spec(cls: Any) -> None:
    name = cls.__qualname__ + ".Spec"
    namespace: dict[str, Any] = {"value_type": cls, "__module__": cls.__module__, "__qualname__": name}
    fields = cls._tf_extension_type_fields()
    custom = cls.__dict__.get("Spec")
    for key, value in vars(custom).items() if custom is not None else ():
        if key in ("__module__", "__dict__", "__weakref__", "__qualname__"):
            continue
        if is_reserved(key):
            raise ValueError(f"{name}: the name {key!r} is reserved.")
        if any(key == f.name for f in fields):
            raise ValueError(
                f"{name}: {key!r} is a field of {cls.__qualname__}; give the attribute another name."
            )
        namespace[key] = value
    base: type = ExtensionTypeSpec
    if issubclass(cls, BatchableExtensionType):
        base = BatchableExtensionTypeSpec
        if hasattr(cls, "__batch_encoder__"):
            namespace.setdefault("__batch_encoder__", cls.__batch_encoder__)
    elif hasattr(cls, "__batch_encoder__") or "__batch_encoder__" in namespace:
        raise ValueError(
            f"{cls.__qualname__}: only classes derived from tf.experimental.BatchableExtensionType have a __batch_encoder__."
        )
    made = type(cls.__name__ + ".Spec", (base,), namespace)
    cls.Spec = made
    if "__init__" in namespace:
        _wrap_constructor(made, specs=True)
    else:
        _add_constructor(made, fields, keep_defaults=False)
    if "__name__" in cls.__dict__:
        _register(cls.__dict__["__name__"] + ".Spec", made)


def _register(name: str, made: type) -> None:
    if not _REGISTERED_NAME.match(name):
        raise ValueError(f"The name {name!r} must be a project's name, a dot, and the type's name.")
    if name in registered:
        raise ValueError(f"The name {name!r} belongs to {registered[name]!r} already.")
    registered[name] = made


# -- specifications ---------------------------------------------------------------------------------------------------


def _compatible(a: Any, b: Any) -> bool:
    if isinstance(a, TypeSpec):
        try:
            return type(a) is type(b) and a.is_compatible_with(b)
        except NotImplementedError:
            return a.most_specific_common_supertype([b]) is not None
    return a.is_compatible_with(b) if isinstance(a, TensorShape) else bool(a == b)


def _subtype(a: Any, b: Any) -> bool:
    if isinstance(a, (TypeSpec, TensorShape)):
        return type(a) is type(b) and a.is_subtype_of(b)
    return bool(a == b)


def _supertype(a: Any, *others: Any) -> Any:
    if isinstance(a, (TypeSpec, TensorShape)):
        found = a.most_specific_common_supertype(list(others)) if _alike(a, others) else None
        if found is None:
            raise ValueError(f"nothing covers {a} and {others}")
        return found
    if any(a != o for o in others):
        raise ValueError(f"{a!r} is not {others}")
    return a


def _alike(a: Any, others: tuple[Any, ...]) -> bool:
    return all(type(o) is type(a) for o in others)


def _all(test: Callable[[Any, Any], bool], one: Any, other: Any) -> bool:
    """Whether the test holds for all corresponding leaves of two specifications."""
    answers: list[bool] = []
    try:
        for a, b in zip(_parts(one), _parts(other), strict=True):
            merged(lambda x, y: answers.append(test(x, y)), a, b)
    except ValueError:
        return False
    return all(answers)


def _kind_of(value: Any) -> Any:
    """A constant as part of a key: equal numbers of different types are different, and so are the two zeros."""
    return value if isinstance(value, (TypeSpec, TensorShape)) else (type(value), repr(value))


def _frozen(value: Any) -> Any:
    return map_values(_kind_of, value)


@export("experimental.ExtensionTypeSpec")
class ExtensionTypeSpec(_Fields, CompositeSpec):
    """Base of the specifications of extension types: specifications in place of tensors, all other fields as they are."""

    value_type: Any

    @classmethod
    def _tf_extension_type_fields(cls) -> tuple[Field, ...]:
        return cls.value_type._tf_extension_type_fields()

    @classmethod
    def from_value(cls, value: Any) -> Any:
        """The specification of a value."""

        def spec(leaf: Any) -> Any:
            if isinstance(leaf, Tensor):
                return TensorSpec(leaf.shape, leaf.dtype)
            return leaf._type_spec if isinstance(leaf, nest.Composite) else leaf  # type: ignore[attr-defined]

        return _create(
            cls, {f.name: map_values(spec, value.__dict__[f.name]) for f in value._tf_extension_type_fields()}
        )

    @property
    def _component_specs(self) -> tuple[Any, ...]:
        found = self.__dict__.get(_CACHED_COMPONENTS)
        if found is None:
            found = tuple(s for s in leaves(_parts(self)) if isinstance(s, TypeSpec))
            self.__dict__[_CACHED_COMPONENTS] = found
        return found  # type: ignore[no-any-return]

    def _form(self) -> tuple[dict[str, Any], tuple[str, ...] | None]:
        """The fields, and the names of those that are components; None if there are components inside of other fields."""
        found = self.__dict__.get(_CACHED_FORM)
        if found is None:
            fields = {f.name: self.__dict__[f.name] for f in self._tf_extension_type_fields()}
            names = tuple(n for n, v in fields.items() if isinstance(v, TypeSpec))
            found = fields, names if len(names) == len(self._component_specs) else None
            self.__dict__[_CACHED_FORM] = found
        return found  # type: ignore[no-any-return]

    def _to_components(self, value: Any) -> tuple[Any, ...]:
        names = self._form()[1]
        return tuple(_components(value)) if names is None else tuple([value.__dict__[n] for n in names])

    def _from_components(self, components: Any) -> Any:
        components = tuple(components)
        if len(components) != len(self._component_specs):
            raise ValueError(
                f"{type(self).__qualname__} has {len(self._component_specs)} components; got {len(components)}."
            )
        fields, names = self._form()
        if names is not None:
            return _create(self.value_type, {**fields, **dict(zip(names, components, strict=True))})
        feed = iter(components)

        def part(leaf: Any) -> Any:
            return next(feed) if isinstance(leaf, TypeSpec) else leaf

        return _create(self.value_type, {n: map_values(part, v) for n, v in fields.items()})

    def _serialize(self) -> tuple[tuple[str, Any], ...]:
        return tuple((f.name, plain(self.__dict__[f.name])) for f in self._tf_extension_type_fields())

    @classmethod
    def _deserialize(cls, serialization: Any) -> Any:
        return _create(cls, dict(serialization))

    def is_compatible_with(self, spec_or_value: Any) -> bool:
        """Whether a value, or all values of another specification, may fit."""
        other = spec_or_value if isinstance(spec_or_value, TypeSpec) else _spec_of(spec_or_value)
        return type(self) is type(other) and _all(_compatible, self, other)

    def is_subtype_of(self, other: Any) -> bool:
        """Whether every value that fits this specification fits `other`."""
        return type(self) is type(other) and _all(_subtype, self, other)

    def most_specific_common_supertype(self, others: Any) -> Any:
        """The narrowest specification over all, or None."""
        if not _alike(self, tuple(others)):
            return None
        try:
            fields = {
                f.name: merged(_supertype, self.__dict__[f.name], *(o.__dict__[f.name] for o in others))
                for f in self._tf_extension_type_fields()
            }
        except ValueError:
            return None
        return _create(type(self), fields)

    def _key(self) -> tuple[Any, ...]:
        return tuple(map(_frozen, _parts(self)))

    def __repr__(self) -> str:
        return f"{type(self).__qualname__}({', '.join(f'{k}={v!r}' for k, v in self._serialize())})"


def _spec_of(value: Any) -> Any:
    return value._type_spec if isinstance(value, nest.Composite) else None  # type: ignore[attr-defined]


# -- batches ----------------------------------------------------------------------------------------------------------


def batched(spec: Any, size: int | None) -> Any:
    """The specification of a batch of `size` values; what can't be put into batches stays as it is."""
    encoder = getattr(spec, "__batch_encoder__", None)
    if encoder is not None:
        return encoder.batch(spec, size)
    if isinstance(spec, TensorSpec):
        return TensorSpec(wrap((size,)).concatenate(spec.shape), spec.dtype)
    if isinstance(spec, SparseTensorSpec):
        return SparseTensorSpec(wrap((size,)).concatenate(spec.shape), spec.dtype)
    if isinstance(spec, RaggedTensorSpec):
        shape = wrap((size,)).concatenate(spec.shape)
        return RaggedTensorSpec(shape, spec.dtype, spec.ragged_rank + 1, spec.row_splits_dtype)
    return wrap((size,)).concatenate(spec) if isinstance(spec, TensorShape) else spec


def unbatched(spec: Any) -> Any:
    """The specification of one value of a batch."""
    encoder = getattr(spec, "__batch_encoder__", None)
    if encoder is not None:
        return encoder.unbatch(spec)
    if isinstance(spec, TensorSpec):
        return TensorSpec(spec.shape[1:], spec.dtype)
    if isinstance(spec, SparseTensorSpec):
        return SparseTensorSpec(spec.shape[1:], spec.dtype)
    if isinstance(spec, RaggedTensorSpec):
        shape = spec.shape[1:]
        if spec.ragged_rank <= 1:
            return TensorSpec(shape, spec.dtype) if not spec.ragged_rank else _row_spec(spec, shape)
        return RaggedTensorSpec(shape, spec.dtype, spec.ragged_rank - 1, spec.row_splits_dtype)
    return spec[1:] if isinstance(spec, TensorShape) else spec


def _row_spec(spec: RaggedTensorSpec, shape: TensorShape) -> Any:
    return RaggedTensorSpec(shape, spec.dtype, 0, spec.row_splits_dtype)


@export("experimental.ExtensionTypeBatchEncoder")
class ExtensionTypeBatchEncoder:
    """How values of a BatchableExtensionType become tensors whose rows can be stacked and taken apart.

    This one hands out the components as they are; derive from it for types whose components don't stack, and name an object
    of the class as `__batch_encoder__` in the type.
    """

    def batch(self, spec: Any, batch_size: int | None) -> Any:
        """The specification of a batch of `batch_size` values of `spec`, None for an unknown number."""
        return self._changed(spec, lambda leaf: batched(leaf, batch_size))

    def unbatch(self, spec: Any) -> Any:
        """The specification of one value of a batch of `spec`."""
        return self._changed(spec, unbatched)

    def _changed(self, spec: Any, function: Callable[[Any], Any]) -> Any:
        return _create(
            type(spec),
            {f.name: map_values(function, spec.__dict__[f.name]) for f in spec._tf_extension_type_fields()},
        )

    def encode(self, spec: Any, value: Any, minimum_rank: int = 0) -> Any:
        """Tensors that stand for `value`, of rank `minimum_rank` or more."""
        return spec._to_components(value)

    def decode(self, spec: Any, encoded_value: Any) -> Any:
        """The value of `spec` that such tensors, or stacks or rows of them, stand for."""
        return spec._from_components(encoded_value)

    def encoding_specs(self, spec: Any) -> Any:
        """The specifications of what `encode` gives."""
        return spec._component_specs


class BatchableExtensionTypeSpec(ExtensionTypeSpec):
    """Specification of an extension type that can be put into batches."""

    __batch_encoder__: Any = ExtensionTypeBatchEncoder()


@export("experimental.BatchableExtensionType")
class BatchableExtensionType(ExtensionType):
    """An extension type whose values can be stacked and taken apart, in datasets and in `tf.map_fn`.

    All components are stacked, and fields that are `tf.TensorShape` get another dimension; a type for which that is wrong has a
    `__batch_encoder__` of its own.

    >>> class Point(tf.experimental.BatchableExtensionType):
    ...     x: tf.Tensor
    ...     y: tf.Tensor
    >>> tf.map_fn(lambda p: p.x + p.y, Point([1, 2], [3, 4]), fn_output_signature=tf.int32).numpy()
    array([4, 6], dtype=int32)
    """

    _tf_extension_type_do_not_transform_this_class = True
