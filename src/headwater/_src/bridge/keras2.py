"""Names that programs written for Keras 2 use and Keras 3 dropped, and two messages of Keras made longer.

    Metric.reset_states()                        reset_state()
    Metric.add_weight("total", initializer=...)  the name may come first, as in Layer.add_weight("kernel", shape=...)
    Layer.add_variable(...)                      add_weight(...)
    tf.keras.losses.mean_squared_error, ...      the functions under their long names, in tf.keras.losses and .metrics
    load_model without custom_objects            one error names all that are missing, and the dictionary to pass
    an optimizer that gets no gradients          says why, in the words of GradientTape.explain

Keras itself is not changed beyond these attributes.
"""

from __future__ import annotations

import functools
import warnings
from types import ModuleType
from typing import Any

from headwater._src.bridge import custom_objects
from headwater._src.engine import tape

# Keras 2's name -> the name that tf.keras.losses and tf.keras.metrics still have.
FUNCTIONS = {
    "mean_squared_error": "mse",
    "mean_absolute_error": "mae",
    "mean_absolute_percentage_error": "mape",
    "mean_squared_logarithmic_error": "msle",
    "kl_divergence": "kld",
    "log_cosh": "logcosh",
}


def apply(keras: ModuleType) -> None:
    """Adds the names to `keras`, which is Keras's face for `tf.keras`; a second call changes nothing."""
    if getattr(keras.Metric, "reset_states", None) is _reset_states:
        return
    keras.Metric.reset_states = _reset_states
    keras.Metric.add_weight = _name_may_come_first(keras.Metric.add_weight)
    keras.Layer.add_weight = _name_may_come_first(keras.Layer.add_weight)
    keras.Layer.add_variable = _add_variable
    for namespace in (keras.losses, keras.metrics):
        for old, present in FUNCTIONS.items():
            if not hasattr(namespace, old):
                setattr(namespace, old, getattr(namespace, present))
    keras.optimizers.Optimizer._filter_empty_gradients = _explaining(
        keras.optimizers.Optimizer._filter_empty_gradients
    )
    _wrap_load_model(keras)


def _reset_states(self: Any) -> None:
    """Keras 2's name of `reset_state`."""
    self.reset_state()


def _add_variable(self: Any, *args: Any, **kwargs: Any) -> Any:
    """Keras 2's name of `add_weight`."""
    return self.add_weight(*args, **kwargs)


def _name_may_come_first(add_weight: Any) -> Any:
    """`add_weight` that takes Keras 2's positional order too: name, shape, dtype, initializer."""

    @functools.wraps(add_weight)
    def wrapped(self: Any, *args: Any, **kwargs: Any) -> Any:
        if args and isinstance(args[0], str):
            given = dict(zip(("name", "shape", "dtype", "initializer"), args, strict=False))
            return add_weight(self, **given, **kwargs)
        return add_weight(self, *args, **kwargs)

    return wrapped


# -- why there are no gradients ---------------------------------------------------------------------------------------


def _explaining(filter_empty_gradients: Any) -> Any:
    """The optimizer's check of its gradients, with the tape's reasons added to what it complains of."""

    @functools.wraps(filter_empty_gradients)
    def wrapped(self: Any, grads: Any, vars: Any) -> Any:
        for g in grads:
            if g is None:
                break
        else:
            return filter_empty_gradients(self, grads, vars)
        reasons = _reasons(grads, vars)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                result = filter_empty_gradients(self, grads, vars)
            except ValueError as error:
                raise ValueError(f"{error}{reasons}") from None
        for warning in caught:
            warnings.warn(f"{warning.message}{reasons}", warning.category, stacklevel=3)
        return result

    return wrapped


def _reasons(grads: Any, variables: Any) -> str:
    """What the tape that was asked last in this thread says of the variables without a gradient; "" if it says nothing."""
    handles = [tape.handle_of(v) for g, v in zip(grads, variables, strict=False) if g is None]
    found = [tape.last_reason(h) for h in handles if h is not None]
    sentences = list(dict.fromkeys(s for s in found if s is not None and not s.startswith("Connected")))
    shown = sentences[:5]
    more = f"\n  and {len(sentences) - 5} more" if len(sentences) > 5 else ""
    return "".join(f"\n  {s}" for s in shown) + more


# -- custom objects that are missing ----------------------------------------------------------------------------------


def _wrap_load_model(keras: ModuleType) -> None:
    import keras as plain

    loading = keras.saving.load_model if hasattr(keras, "saving") else keras.models.load_model

    @functools.wraps(loading)
    def load_model(
        filepath: Any, custom_objects: Any = None, compile: bool = True, safe_mode: bool = True
    ) -> Any:
        try:
            return loading(filepath, custom_objects=custom_objects, compile=compile, safe_mode=safe_mode)
        except (TypeError, ValueError) as error:
            better = _all_missing(keras, filepath, custom_objects, error)
            if better is None:
                raise
            raise better from error

    for face in (keras, plain):
        for name in ("saving", "models"):
            namespace = getattr(face, name, None)
            if namespace is not None:
                namespace.load_model = load_model


def _all_missing(keras: ModuleType, filepath: Any, given: Any, error: Exception) -> Exception | None:
    missing = custom_objects.missing(keras, filepath, given)
    if not missing:
        return None
    entries = ", ".join(f"{name!r}: {name.rpartition('>')[2]}" for name in missing)
    return type(error)(
        f"The model in {str(filepath)!r} uses {len(missing)} custom object{'s' if len(missing) > 1 else ''} that Keras does not "
        f"know here: {', '.join(missing)}. Pass them all: load_model({str(filepath)!r}, custom_objects={{{entries}}}), or "
        "decorate their definitions with @keras.saving.register_keras_serializable()."
    )
