"""Functions written in JAX as functions of tensors: what `from jax.experimental import jax2tf` gives here.

JAX's own jax2tf makes TensorFlow graphs. Here a call is one node: compiled programs take the function in as it is, plans and
eager calls run it compiled for their shapes. Keras's JaxLayer and FlaxLayer stand on this.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from headwater._src.base import dtypes
from headwater._src.base.lazy import jax
from headwater._src.core.context import ctx
from headwater._src.core.convert import convert as to_tensor
from headwater._src.core.spec import Spec
from headwater._src.core.tensor import EagerTensor, Tensor, of_array
from headwater._src.engine.custom import custom_gradient
from headwater._src.ops.nested import Record, append


def convert(
    fun_jax: Callable[..., Any],
    *,
    polymorphic_shapes: Any = None,
    polymorphic_constraints: Sequence[str] = (),
    with_gradient: bool = True,
    native_serialization_platforms: Sequence[str] | None = None,
    native_serialization_disabled_checks: Sequence[Any] = (),
) -> Callable[..., Any]:
    """`fun_jax` as a function of tensors, with gradients.

    Args:
      fun_jax: a function of JAX arrays, in structures that JAX knows.
      polymorphic_shapes: for each argument None, or a text that names its unknown dimensions, such as "(batch, 3)"; "..."
        stands for dimensions that are known.
      polymorphic_constraints: what holds between the names, such as "batch >= 2".
      with_gradient: whether the result can be differentiated.
      native_serialization_platforms, native_serialization_disabled_checks: accepted; nothing is serialised here, and
        programs are compiled for the machine that they run on.

    Returns:
      A function of positional arguments: structures of tensors and variables.

    Raises (when called):
      ValueError: shapes with unknown dimensions that no text names, or whose dimensions `fun_jax` needs to know.
    """
    wide = bool(jax.config.jax_enable_x64)
    shapes = polymorphic_shapes if polymorphic_shapes is None else tuple(polymorphic_shapes)
    forms: dict[Any, _Flat] = {}

    @functools.wraps(fun_jax)
    def converted(*args: Any) -> Any:
        leaves, structure = jax.tree_util.tree_flatten(args)
        form = forms.get(structure)
        if form is None:
            form = forms[structure] = _Flat(_Unpacked(fun_jax, structure, wide))
        tensors = [to_tensor(leaf) for leaf in leaves]
        if ctx.graph is None and all(isinstance(t, EagerTensor) for t in tensors):
            specs = None
        else:
            specs = form.specs(structure, tensors, shapes, polymorphic_constraints)
        results = _call(form, tensors, specs, with_gradient)
        return jax.tree_util.tree_unflatten(form.function.structure, results)

    return converted


class _Unpacked:
    """The function of flat arrays that gives flat arrays; the structure of its result is known once it was traced."""

    def __init__(self, function: Callable[..., Any], structure: Any, wide: bool) -> None:
        self._function, self._given, self._wide = function, structure, wide
        self.structure: Any = None

    def __call__(self, *arrays: Any) -> tuple[Any, ...]:
        # Headwater compiles with 64 bits on; the function is to see what its author set.
        with jax.enable_x64(self._wide):
            result = self._function(*jax.tree_util.tree_unflatten(self._given, arrays))
        leaves, self.structure = jax.tree_util.tree_flatten(result)
        return tuple(leaves)


class _Flat:
    """A function of flat arrays, compiled once for each combination of shapes, with its gradient as another one."""

    def __init__(self, function: Any) -> None:
        self.function = function
        self.compiled = jax.jit(function)
        self._pullback: _Flat | None = None

    def specs(
        self, structure: Any, tensors: Sequence[Tensor], shapes: Any, constraints: Sequence[str]
    ) -> list[Spec]:
        """The specs of the results for tensors some of whose dimensions are unknown."""
        from jax import export

        if any(t._spec.shape is None for t in tensors):
            raise ValueError("jax2tf.convert: the rank of every argument must be known.")
        like = [jax.ShapeDtypeStruct(t._spec.shape, t._spec.dtype) for t in tensors]
        given = export.symbolic_args_specs(
            jax.tree_util.tree_unflatten(structure, like), shapes, constraints=constraints
        )
        found = jax.eval_shape(self.function, *jax.tree_util.tree_leaves(given))
        return [Spec(tuple(d if isinstance(d, int) else None for d in f.shape), f.dtype) for f in found]

    def pullback(self, count: int) -> _Flat:
        """Of the arguments, `count` of them, and the gradients of the floating results: the gradients of floating arguments."""

        def backward(*arrays: Any) -> tuple[Any, ...]:
            inputs, gradients = arrays[:count], arrays[count:]
            places = [i for i, x in enumerate(inputs) if _is_floating(x.dtype)]

            def forward(*floating: Any) -> list[Any]:
                whole = list(inputs)
                for i, x in zip(places, floating, strict=True):
                    whole[i] = x
                return [y for y in self.function(*whole) if _is_floating(y.dtype)]

            results, pull = jax.vjp(forward, *(inputs[i] for i in places))
            return tuple(pull([g.astype(y.dtype) for g, y in zip(gradients, results, strict=True)]))

        if self._pullback is None:
            self._pullback = _Flat(backward)
        return self._pullback


def _is_floating(dtype: Any) -> bool:
    return dtypes.OF_NUMPY[np.dtype(dtype)].is_floating or np.dtype(dtype).kind == "c"


def _call(form: _Flat, tensors: list[Tensor], specs: list[Spec] | None, with_gradient: bool) -> list[Tensor]:
    if not with_gradient or not any(_is_floating(t._spec.dtype) for t in tensors):
        return _plain(form, tensors, specs)

    @custom_gradient
    def run(*inputs: Tensor) -> Any:
        results = _plain(form, list(inputs), specs)
        floating = [i for i, r in enumerate(results) if _is_floating(r._spec.dtype)]

        def grad(*upstream: Any) -> list[Any]:
            wanted = [i for i, x in enumerate(inputs) if _is_floating(x._spec.dtype)]
            known = None if specs is None else [inputs[i]._spec for i in wanted]
            given = [*inputs, *(to_tensor(upstream[i]) for i in floating)]
            found = iter(_call(form.pullback(len(inputs)), given, known, True))
            return [next(found) if i in wanted else None for i in range(len(inputs))]

        return results, grad

    found = run(*tensors)
    return list(found) if isinstance(found, (list, tuple)) else [found]


def _plain(form: _Flat, tensors: list[Tensor], specs: list[Spec] | None) -> list[Tensor]:
    if specs is None:
        arrays = [t._array for t in tensors]  # type: ignore[attr-defined]
        return [of_array(a) for a in _numpy(*arrays, form=form)]
    return list(append(_JAX_CALL, tensors, specs, {"form": form}, "JaxCall"))


def _numpy(*arrays: Any, form: _Flat) -> list[np.ndarray]:
    return [np.asarray(r) for r in form.compiled(*arrays)]


def _lower(*arrays: Any, form: _Flat) -> Sequence[Any]:
    found: Sequence[Any] = form.function(*arrays)
    return found


_JAX_CALL = Record("JaxCall", _numpy, _lower, None, single=False)
