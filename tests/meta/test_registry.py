"""Every record is complete, every public function documented, and signatures are TensorFlow's."""

from __future__ import annotations

import ast
import functools
import inspect
import json
import re
from pathlib import Path
from typing import Any

import harness
import pytest

from headwater._src.base.exporting import EXPORTS
from headwater._src.core.op import HOST_ONLY, REGISTRY, Op
from headwater._src.core.samples import SAMPLED

API = Path(__file__).resolve().parents[3] / "shared" / "api" / "tensorflow-2.21-public-api.json"
RECORDS = list(REGISTRY.values())
NAMES = sorted(n for n in EXPORTS if not n.startswith("__internal__"))

by_record = pytest.mark.parametrize("record", RECORDS, ids=lambda r: r.name)


def _public(name: str) -> Any:
    return harness.resolve(name)


@by_record
def test_parts(record: Op) -> None:
    assert callable(record.numpy)
    assert callable(record.lower) or isinstance(record.lower, HOST_ONLY)
    if isinstance(record.lower, HOST_ONLY):
        assert record.lower.why.strip()
    if record.grad.__class__ is tuple:
        assert len(record.grad) == len(record.params)
        assert all(rule is None or callable(rule) for rule in record.grad)
        assert any(record.grad), "a gradient without any rule is NONDIFF"
    else:
        assert record.grad is None or callable(record.grad)
    assert record.results
    assert all(param.allowed for param in record.params)


@by_record
def test_attributes(record: Op) -> None:
    for name, default in record.attrs.items():
        assert name.isidentifier()
        hash(default)
    assert set(record.host) <= set(record.attrs)
    for rule in (record.numpy, record.lower, record.shape):
        if rule is not None and inspect.isfunction(rule):
            _takes(rule, record)
    signature = inspect.signature(harness.entry_of(record))
    assert [*(p.name for p in record.params), *record.attrs, "name"] == list(signature.parameters)


def _takes(rule: Any, record: Op) -> None:
    parameters = inspect.signature(rule).parameters.values()
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return
    missing = set(record.attrs) - {p.name for p in parameters}
    assert not missing, f"{rule} does not take the attributes {sorted(missing)}"


@by_record
def test_result_expressions(record: Op) -> None:
    params = {p.name for p in record.params}
    for result in record.results:
        words = {w.strip() for w in result.shape.removeprefix("bcast(").rstrip(")").lstrip("*").split(",")}
        assert words <= params | {"[]", "?"}, f"{result.shape} names no argument"
        assert record.shape is not None or words <= params | {"[]"}


@by_record
def test_public_records_have_samples_and_a_docstring(record: Op) -> None:
    if not record.api:
        return
    assert record.cases(), "no samples"
    entry = harness.entry_of(record)
    assert entry.__doc__ and not entry.__doc__.startswith("Runs the operation"), "no docstring"
    assert all(EXPORTS[name][1] == f"@{record.name}" for name in record.api)


@functools.cache
def _reached() -> tuple[set[str], set[str]]:
    return harness.reached()


_SECOND = "the derivative of a gradient's gradient, which no sample asks for"
_FILES = "codecs are lossy or depend on Pillow's version; tests/ops/test_image.py checks them by hand"
_RAGGED = "samples have no ragged arguments; tests/ops/test_ragged.py compares values and gradients with TensorFlow's"
UNREACHED = {
    "Dilation2DGather": _SECOND, "CTCLossDenseCurvature": _SECOND, "MaxPoolGradGrad": _SECOND, "MaxPool3DGradGrad": _SECOND,
    "IgammaGradGradA": _SECOND,
    "DecodeBmp": _FILES, "EncodePng": _FILES, "EncodeJpeg": _FILES,
    **dict.fromkeys(
        "RaggedRowIds RaggedPositions RaggedRuns RaggedRowSum RaggedRowMax RaggedRowMin RaggedColumnSum RaggedColumnMax "
        "RaggedColumnMin RaggedText RaggedRowIdsOf RaggedUsedColumns RaggedPadded RaggedUnpadded RaggedCounted".split(),
        _RAGGED,
    ),
}  # fmt: skip
"""Records that the samples leave out in whole or in part, with the reason; the list may only shrink."""


@by_record
def test_some_sample_reaches_the_record(record: Op) -> None:
    called, differentiated = _reached()
    if record.name in UNREACHED:
        assert record.name not in called or record.name not in differentiated, (
            "reached now: take it off the list"
        )
        pytest.skip(UNREACHED[record.name])
    assert record.name in called, "no good sample calls it"
    if record.grad is not None and record.name not in harness.CONVENTIONAL:
        assert record.name in differentiated, "no sample differentiates it"


@pytest.mark.parametrize("name", sorted(SAMPLED))
def test_sampled_names_are_public(name: str) -> None:
    assert name in EXPORTS
    assert SAMPLED[name]()


@pytest.mark.parametrize("name", NAMES)
def test_public_objects_are_documented(name: str) -> None:
    value = _public(name)
    if not (inspect.isfunction(value) or inspect.isclass(value)):
        return
    assert inspect.getdoc(value), f"tf.{name} has no docstring"
    if inspect.isclass(value):
        methods = [k for k, v in vars(value).items() if not k.startswith("_") and inspect.isfunction(v)]
        bare = [k for k in methods if not inspect.getdoc(getattr(value, k))]
        assert not bare, f"tf.{name}: {bare} have no docstring"


@functools.cache
def _api() -> dict[str, Any]:
    return json.loads(API.read_text()) if API.exists() else {}


OWN = {
    "install_as_tensorflow",
    "version.HEADWATER",
    "config.experimental.get_eager_programs",
    "config.experimental.get_epochs_at_once",
    "config.experimental.set_eager_programs",
    "config.experimental.set_epochs_at_once",
}
"""Names that TensorFlow does not have."""


def _listed(name: str) -> bool:
    """Whether the list covers the name: it leaves out dunders, compat, lite and parts of test."""
    return not name.startswith("__") and name.partition(".")[0] not in ("compat", "lite", "test")


@pytest.mark.skipif(not API.exists(), reason="the list of TensorFlow's signatures is not beside the checkout")
@pytest.mark.parametrize("name", [n for n in NAMES if _listed(n) and n not in OWN])
def test_signature(name: str) -> None:
    entry = _api().get(f"tf.{name}")
    assert entry is not None, f"TensorFlow 2.21 has no tf.{name}"
    value = _public(name)
    signature = entry.get("signature") or ""
    if not inspect.isfunction(value) or not signature.rstrip().endswith(")") and "->" not in signature:
        return
    ours = _parameters(str(inspect.signature(value)))
    if ours == ["*args", "*kwargs"] != _parameters(entry["signature"]):  # a name that is not there yet
        with pytest.raises(NotImplementedError, match=r"\w+ \w+"):
            value()
        return
    assert ours == _parameters(entry["signature"])


def _parameters(signature: str) -> list[str]:
    """The parameter names of a signature's text, in order; defaults that are no Python are cut away first."""
    arguments = ast.parse(f"def f{_plain(signature)}: pass").body[0].args  # type: ignore[attr-defined]
    names = [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    return names + [f"*{a.arg}" for a in (arguments.vararg, arguments.kwarg) if a]


def _plain(signature: str) -> str:
    """The parameter list without annotations and defaults."""
    signature = signature.rpartition("->")[0].rstrip() if "->" in signature else signature
    signature = re.sub(r"'[^']*'", "0", signature)
    depth, skipping, out = 0, False, []
    for char in signature:
        if char in "([{<":
            depth += 1
        elif char in ")]}>":
            depth -= 1
        if depth == 1 and char in ":=":
            skipping = True
        elif (depth == 1 and char == ",") or depth == 0:
            skipping = False
        if not skipping:
            out.append(char)
    return "".join(out)
