"""Names of `tf.saved_model`, `tf.summary`, `tf.profiler` and `tf.lite` that programs mention and this version has not."""

from __future__ import annotations

from headwater._src.base.absent import absent_class, absent_function
from headwater._src.base.exporting import export

_SAVE = "Save Keras models with model.save('model.keras') or model.save_weights('model.weights.h5')."
_SHARDS = "A checkpoint is written to one data file; those of several are read."
_SUMMARY = "Keep the logs that model.fit returns, or write them with keras.callbacks.CSVLogger."
_PROFILER = "Python's own cProfile sees every operation."
_GRAPH = "Graphs have no GraphDef here; function.get_concrete_function(...).graph.draw() shows one."
_LITE = "Conversion to LiteRT needs TensorFlow's compiler."

load = absent_function("saved_model.load", __name__, _SAVE)
save = absent_function("saved_model.save", __name__, _SAVE)
SaveOptions = absent_class("saved_model.SaveOptions", __name__, _SAVE)
LoadOptions = absent_class("saved_model.LoadOptions", __name__, _SAVE)
Asset = absent_class("saved_model.Asset", __name__, _SAVE)
TrackableResource = absent_class("saved_model.experimental.TrackableResource", __name__, _SAVE)
contains_saved_model = absent_function("saved_model.contains_saved_model", __name__, _SAVE)

MaxShardSizePolicy = absent_class("train.experimental.MaxShardSizePolicy", __name__, _SHARDS)
ShardByTaskPolicy = absent_class("train.experimental.ShardByTaskPolicy", __name__, _SHARDS)
ShardingCallback = absent_class("train.experimental.ShardingCallback", __name__, _SHARDS)

SummaryWriter = absent_class("summary.SummaryWriter", __name__, _SUMMARY)
create_file_writer = absent_function("summary.create_file_writer", __name__, _SUMMARY)
scalar = absent_function("summary.scalar", __name__, _SUMMARY)
histogram = absent_function("summary.histogram", __name__, _SUMMARY)
image = absent_function("summary.image", __name__, _SUMMARY)
text = absent_function("summary.text", __name__, _SUMMARY)
record_if = absent_function("summary.record_if", __name__, _SUMMARY)
trace_on = absent_function("summary.trace_on", __name__, _SUMMARY)
trace_export = absent_function("summary.trace_export", __name__, _SUMMARY)

Trace = absent_class("profiler.experimental.Trace", __name__, _PROFILER)
start = absent_function("profiler.experimental.start", __name__, _PROFILER)
stop = absent_function("profiler.experimental.stop", __name__, _PROFILER)

write_graph = absent_function("io.write_graph", __name__, _GRAPH)

TFLiteConverter = absent_class("lite.TFLiteConverter", __name__, _LITE)
Interpreter = absent_class("lite.Interpreter", __name__, _LITE)


@export("lite.Optimize")
class Optimize:
    """Names of LiteRT's optimizations."""

    DEFAULT = "DEFAULT"
    OPTIMIZE_FOR_SIZE = "OPTIMIZE_FOR_SIZE"
    OPTIMIZE_FOR_LATENCY = "OPTIMIZE_FOR_LATENCY"


@export("lite.OpsSet")
class OpsSet:
    """Names of LiteRT's sets of operations."""

    TFLITE_BUILTINS = "TFLITE_BUILTINS"
    SELECT_TF_OPS = "SELECT_TF_OPS"
