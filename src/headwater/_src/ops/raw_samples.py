"""Samples of `tf.raw_ops`, made from those of the records. Nothing imports this module but the tests, once all records exist."""

from __future__ import annotations

from typing import Any

import numpy as np

from headwater._src.base import dtypes
from headwater._src.core.op import REGISTRY
from headwater._src.core.samples import Arr, Tensor_, case, sampled
from headwater._src.ops.raw_entries import RAW, RawOp


def _from_record(raw: RawOp) -> Any:
    """Samples of the record, by TensorFlow's names: the first two good ones and the first bad one."""

    def build() -> list[Any]:
        record = REGISTRY[raw.__name__]
        theirs = {raw.line.renamed.get(n, n): n for n in raw.line.defaults}
        names = [theirs[p.name] for p in record.params]
        kept: list[Any] = []
        for one in record.cases():
            if (
                len(one.args) != len(names)
                or any(k not in theirs for k in one.kwargs)
                or one.error == "TypeError"
            ):
                continue
            if sum((k.error is None) == (one.error is None) for k in kept) >= (2 if one.error is None else 1):
                continue
            given = {
                **dict(zip(names, one.args, strict=True)),
                **{theirs[k]: v for k, v in one.kwargs.items()},
            }
            grad = tuple(names[g] for g in one.grad)
            kept.append(one._replace(args=(), kwargs=given, grad=grad))
        return kept

    return build


def _calls() -> dict[str, list[dict[str, Any]]]:
    """Calls of raw operations whose records are under other public functions."""
    x, pair, spot = Arr((2, 3)), Tensor_(Arr((2, 2))), Tensor_(Arr((1, 4, 4, 2)))
    sparse = {"indices": Tensor_(np.array([[0, 1], [1, 0]])), "values": Tensor_([1.0, 2.0])}
    window: dict[str, Any] = {"ksize": [1, 2, 2, 1], "strides": [1, 2, 2, 1], "padding": "SAME"}
    found: dict[str, list[dict[str, Any]]] = {
        name: [{"input": x, "axis": [1]}, {"input": x, "axis": 0, "keep_dims": True}]
        for name in ("Sum", "Mean", "Max", "Min", "Prod", "EuclideanNorm")
    }
    found |= {name: [{"input": Arr((2, 3), "bool"), "axis": [1]}] for name in ("All", "Any")}
    found |= {name: [{"input": x, "dimension": 1}] for name in ("ArgMax", "ArgMin")}
    found |= {
        name: [{"x": x, "axis": 1, "reverse": True}] for name in ("Cumsum", "Cumprod", "CumulativeLogsumexp")
    }
    found |= {
        name: [{"input": Tensor_(Arr((2, 3), "complex64"))}] for name in ("Real", "Imag", "Angle", "Conj")
    }
    found |= {name: [{"logits": x}] for name in ("Softmax", "LogSoftmax")}
    found |= {name: [{"x": x}] for name in ("Abs", "ZerosLike", "OnesLike", "Round", "Inv", "DeepCopy")}
    found |= {name: [{"input": x}] for name in ("Identity", "Shape", "Size", "Snapshot", "MatrixDiagPart")}
    found |= {
        name: [{"sorted_inputs": Tensor_([[1.0, 2.0, 3.0]]), "values": Tensor_([[0.0, 2.0]])}]
        for name in ("LowerBound", "UpperBound")
    }
    found |= {
        f"UnsortedSegment{name}": [{"data": x, "segment_ids": [1, 0], "num_segments": 3}]
        for name in ("Sum", "Max", "Min", "Prod")
    }
    found |= {
        f"SparseSegment{name}": [{"data": x, "indices": [1, 0, 1], "segment_ids": [0, 0, 1]}]
        for name in ("Sum", "Mean", "SqrtN")
    }
    found |= {
        f"TensorScatter{name}": [{"tensor": Tensor_(x), "indices": [[1]], "updates": Tensor_(Arr((1, 3)))}]
        for name in ("Add", "Sub", "Max", "Min", "Update")
    }
    found |= {
        "AddN": [{"inputs": [Tensor_(x), Tensor_(Arr((2, 3), salt=1))]}], "ConcatV2": [{"values": [Tensor_(x), Tensor_(x)], "axis": 1}],
        "Concat": [{"concat_dim": 0, "values": [Tensor_(x), Tensor_(x)]}], "Pack": [{"values": [Tensor_(x), Tensor_(x)], "axis": 1}],
        "Unpack": [{"value": x, "num": 3, "axis": 1}], "Split": [{"axis": 1, "value": x, "num_split": 3}],
        "SplitV": [{"value": x, "size_splits": [1, 2], "axis": 1, "num_split": 2}], "Reshape": [{"tensor": x, "shape": [3, -1]}],
        "Transpose": [{"x": x, "perm": [1, 0]}], "ExpandDims": [{"input": x, "axis": -1}], "Squeeze": [{"input": Arr((1, 2)), "axis": [0]}],
        "Tile": [{"input": x, "multiples": [2, 1]}], "Pad": [{"input": x, "paddings": [[1, 0], [0, 2]]}], "PadV2": [{"input": Tensor_(x), "paddings": [[1, 0], [0, 2]], "constant_values": 7.0}],
        "MirrorPad": [{"input": x, "paddings": [[1, 0], [0, 2]], "mode": "REFLECT"}], "ReverseV2": [{"tensor": x, "axis": [1]}],
        "Roll": [{"input": x, "shift": [1], "axis": [1]}], "Fill": [{"dims": [2, 3], "value": 4.0}], "Range": [{"start": 0, "limit": 9, "delta": 2}],
        "LinSpace": [{"start": 0.0, "stop": 1.0, "num": 5}], "BroadcastTo": [{"input": Arr((3,)), "shape": [2, 3]}], "Cast": [{"x": x, "DstT": dtypes.int32}],
        "Bitcast": [{"input": x, "type": dtypes.int32}], "OneHot": [{"indices": [0, 2], "depth": 3, "on_value": 1.0, "off_value": 0.0}],
        "GatherV2": [{"params": x, "indices": [1, 0], "axis": 1}], "Gather": [{"params": x, "indices": [1, 0]}], "GatherNd": [{"params": x, "indices": [[1, 0]]}],
        "ScatterNd": [{"indices": [[1], [0]], "updates": x, "shape": [4, 3]}], "Slice": [{"input": x, "begin": [0, 1], "size": [2, 1]}],
        "SelectV2": [{"condition": [True, False, True], "t": Tensor_(x), "e": Tensor_(Arr((3,)))}], "Select": [{"condition": [[True, False], [False, True]], "x": pair, "y": Tensor_(Arr((2, 2), salt=1))}],
        "Where": [{"condition": [True, False, True]}], "TopKV2": [{"input": x, "k": 2}], "InTopKV2": [{"predictions": x, "targets": [1, 0], "k": 1}],
        "Unique": [{"x": [3, 1, 3]}], "UniqueWithCounts": [{"x": [3, 1, 3]}], "MatMul": [{"a": Tensor_(x), "b": Tensor_(x), "transpose_b": True}],
        "BatchMatMulV2": [{"x": Tensor_(Arr((2, 2, 3))), "y": Tensor_(Arr((2, 3, 1)))}], "BatchMatMul": [{"x": Tensor_(Arr((2, 2, 3))), "y": Tensor_(Arr((2, 3, 1)))}],
        "Einsum": [{"inputs": [Tensor_(x), Tensor_(x)], "equation": "ij,kj->ik"}], "BiasAdd": [{"value": Tensor_(x), "bias": Tensor_(Arr((3,)))}],
        "BiasAddGrad": [{"out_backprop": x}], "MatrixBandPart": [{"input": Arr((3, 3)), "num_lower": 1, "num_upper": 0}], "MatrixDiag": [{"diagonal": Arr((3,))}],
        "Qr": [{"input": Arr((2, 2), low=1)}], "LogMatrixDeterminant": [{"input": [[2.0, 1.0], [1.0, 3.0]]}],
        "MatrixTriangularSolve": [{"matrix": Tensor_([[2.0, 0.0], [1.0, 3.0]]), "rhs": Tensor_(Arr((2, 1)))}], "ClipByValue": [{"t": Tensor_(x), "clip_value_min": -1.0, "clip_value_max": 0.5}],
        "Complex": [{"real": Tensor_(x), "imag": Tensor_(x)}], "ComplexAbs": [{"x": Tensor_(Arr((3,), "complex64"))}], "LeakyRelu": [{"features": x, "alpha": 0.1}],
        "MaxPool": [{"input": spot, **window}], "AvgPool": [{"value": spot, **window}], "MaxPoolWithArgmax": [{"input": spot, **window}],
        "Conv2D": [{"input": spot, "filter": Tensor_(Arr((2, 2, 2, 3))), "strides": [1, 1, 1, 1], "padding": "VALID"}],
        "DepthwiseConv2dNative": [{"input": spot, "filter": Tensor_(Arr((2, 2, 2, 1))), "strides": [1, 1, 1, 1], "padding": "VALID"}],
        "SpaceToDepth": [{"input": spot, "block_size": 2}], "DepthToSpace": [{"input": Tensor_(Arr((1, 2, 2, 4))), "block_size": 2}],
        "SpaceToBatchND": [{"input": spot, "block_shape": [2, 2], "paddings": [[0, 0], [0, 0]]}], "BatchToSpaceND": [{"input": Tensor_(Arr((4, 1, 1, 1))), "block_shape": [2, 2], "crops": [[0, 0], [0, 0]]}],
        "ExtractImagePatches": [{"images": spot, "ksizes": [1, 2, 2, 1], "strides": [1, 1, 1, 1], "rates": [1, 1, 1, 1], "padding": "VALID"}],
        "LRN": [{"input": spot}], "ReverseSequence": [{"input": x, "seq_lengths": Tensor_([1, 2]), "seq_dim": 1}],
        "SoftmaxCrossEntropyWithLogits": [{"features": Tensor_(x), "labels": Tensor_(Arr((2, 3), low=0))}],
        "SparseSoftmaxCrossEntropyWithLogits": [{"features": Tensor_(x), "labels": [1, 0]}], "HistogramFixedWidth": [{"values": x, "value_range": Tensor_([-2.0, 2.0]), "nbins": 4}],
        "RFFT": [{"input": Arr((4,)), "fft_length": [4]}], "IRFFT": [{"input": Tensor_(Arr((3,), "complex64")), "fft_length": [4]}], "SigmoidGrad": [{"y": Tensor_(x), "dy": Tensor_(x)}],
        "TanhGrad": [{"y": Tensor_(x), "dy": Tensor_(x)}], "ReluGrad": [{"gradients": Tensor_(x), "features": Tensor_(x)}], "EluGrad": [{"gradients": Tensor_(x), "outputs": Tensor_(x)}],
        "Mod": [{"x": [-7, 7], "y": [2, 2]}], "Add": [{"x": Tensor_(x), "y": Tensor_(x)}], "IdentityN": [{"input": [Tensor_(x), 1]}], "ShapeN": [{"input": [Tensor_(x), Tensor_(pair.of)]}],
        "SparseToDense": [{"sparse_indices": [[0, 1], [1, 0]], "output_shape": [2, 3], "sparse_values": Tensor_([1.0, 2.0]), "default_value": 0.0}],
        "SparseReorder": [{"input_indices": Tensor_(np.array([[1, 0], [0, 1]])), "input_values": Tensor_([1.0, 2.0]), "input_shape": Tensor_(np.array([2, 3]))}],
        "SparseFillEmptyRows": [{**sparse, "dense_shape": Tensor_(np.array([3, 3])), "default_value": Tensor_(5.0)}],
        "DynamicStitch": [{"indices": [[0, 2], [1]], "data": [Tensor_(x), Tensor_(Arr((1, 3)))]}], "DynamicPartition": [{"data": x, "partitions": [1, 0], "num_partitions": 2}],
        "BroadcastArgs": [{"s0": [2, 1], "s1": [3]}], "EnsureShape": [{"input": x, "shape": [2, 3]}], "CheckNumerics": [{"tensor": x, "message": "?"}], "DivNoNan": [{"x": [1.0, 2.0], "y": [0.0, 4.0]}],
        "SobolSample": [{"dim": 2, "num_results": 3, "skip": 0}], "InTopK": [{"predictions": x, "targets": [1, 0], "k": 1}], "NonMaxSuppressionV3": [
            {"boxes": Tensor_(Arr((3, 4), low=0)), "scores": Tensor_(Arr((3,))), "max_output_size": 2, "iou_threshold": 0.5, "score_threshold": -9.0}],
    }  # fmt: skip
    return found


def _calls_of(kwargs: list[dict[str, Any]]) -> Any:
    return lambda: [case(**k, id=f"call{i or ''}") for i, k in enumerate(kwargs)]


for _name, _raw in RAW.items():
    if not _raw.line.function and REGISTRY[_name].api:
        sampled(f"raw_ops.{_name}", _from_record(_raw))
for _name, _kwargs in _calls().items():
    sampled(f"raw_ops.{_name}", _calls_of(_kwargs))
