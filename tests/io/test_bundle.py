"""Bundles of tensors in files: all dtypes and shapes, TensorFlow's files, damaged ones."""

from __future__ import annotations

import pathlib
import random
import shutil

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import headwater as tf
from headwater._src.io import bundle as bundles
from headwater._src.io.bundle import BundleReader, write_bundle
from headwater._src.io.table import read_table

FILES = pathlib.Path(__file__).parent / "files"
DTYPES = [
    "float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bool",
    "complex64", "complex128", ml_dtypes.bfloat16, ml_dtypes.float8_e5m2, ml_dtypes.float8_e4m3fn, ml_dtypes.int4, "object",
]  # fmt: skip


def array_of(dtype, shape, seed):
    rng = np.random.default_rng(seed)
    if dtype == "object":
        out = np.empty(shape, object)
        for place in np.ndindex(*shape):
            out[place] = rng.bytes(int(rng.choice([0, 1, 5, 127, 128, 300])))
        return out
    return rng.integers(0, 2, shape).astype(dtype)


TENSORS = st.dictionaries(
    st.text(min_size=1, max_size=12).filter(lambda name: name.isprintable()),
    st.tuples(
        st.sampled_from(DTYPES), st.lists(st.integers(0, 3), max_size=3).map(tuple), st.integers(0, 99)
    ),
    max_size=6,
)


@settings(max_examples=60, deadline=None)
@given(TENSORS)
def test_what_is_written_is_read(tmp_path_factory, given_tensors):
    prefix = str(tmp_path_factory.mktemp("bundle") / "b")
    tensors = {name: array_of(*what) for name, what in given_tensors.items()}
    write_bundle(prefix, tensors)
    reader = BundleReader(prefix)
    assert sorted(reader.entries) == sorted(tensors)
    for (name, array), found in zip(tensors.items(), reader.tensors(tensors), strict=True):
        assert (found.dtype, found.shape) == (array.dtype, array.shape)
        assert found.tolist() == array.tolist() and found.flags.writeable, name


def test_large_tensors_are_read(tmp_path):
    """Longer than what checksums fold at once, and not a multiple of any of its sizes."""
    array = np.arange(1_000_003, dtype=np.uint32).view(np.uint8)[1:]
    write_bundle(str(tmp_path / "b"), {"x": array})
    assert np.array_equal(BundleReader(str(tmp_path / "b")).tensor("x"), array)


def test_several_data_files():
    reader = BundleReader(str(FILES / "sharded"))
    assert reader.shards == 2
    a, b = reader.tensors(["a", "b"])
    assert a.tolist() == [1.0, 2.0] and b.tolist() == [b"x", b"yz"]


def test_many_names_as_tensorflow_writes_them(tmp_path):
    reader = BundleReader(str(FILES / "many"))
    names = [f"layer_{i * 37 % 200}/{'long' * (i % 9)}/name" for i in range(200)]
    assert [int(t) for t in reader.tensors(names)] == list(range(200))
    write_bundle(str(tmp_path / "b"), {name: np.array(i, np.int32) for i, name in enumerate(names)})
    for end in (".index", ".data-00000-of-00001"):
        assert (tmp_path / f"b{end}").read_bytes() == (FILES / f"many{end}").read_bytes()


@pytest.mark.parametrize(
    ("name", "key", "error", "match"),
    [
        ("sliced", "w", tf.errors.UnimplementedError, "in parts"),
        ("iterator", "iterator/.ATTRIBUTES/ITERATOR_STATE", tf.errors.UnimplementedError, "variant"),
        ("sharded", "c", tf.errors.NotFoundError, "Key c not found"),
        ("nothing", "c", tf.errors.NotFoundError, "nothing.index"),
    ],
)
def test_what_can_not_be_read(name, key, error, match):
    with pytest.raises(error, match=match):
        BundleReader(str(FILES / name)).tensor(key)


def test_a_missing_data_file_is_not_found(tmp_path):
    shutil.copy(FILES / "sharded.index", tmp_path)
    shutil.copy(FILES / "sharded.data-00001-of-00002", tmp_path)
    reader = BundleReader(str(tmp_path / "sharded"))
    assert reader.tensor("b").tolist() == [b"x", b"yz"]
    with pytest.raises(tf.errors.NotFoundError, match=r"sharded\.data-00000-of-00002"):
        reader.tensor("a")


def test_every_flipped_byte_is_noticed_or_harmless(tmp_path):
    tensors = {
        "numbers": np.arange(6, dtype=np.int16).reshape(2, 3),
        "strings": array_of("object", (3,), 1),
        "empty": np.zeros((0, 2)),
        "one": np.array(1.5),
    }
    prefix = tmp_path / "b"
    write_bundle(str(prefix), tensors)
    want = {name: array.tolist() for name, array in tensors.items()}
    noticed = 0
    for end in (".index", ".data-00000-of-00001"):
        path = tmp_path / f"b{end}"
        data = path.read_bytes()
        for place in range(len(data)):
            changed = bytearray(data)
            changed[place] ^= 1 << place % 8
            path.write_bytes(changed)
            try:
                reader = BundleReader(str(prefix))
                found = dict(zip(want, reader.tensors(want), strict=True))
                assert {k: v.tolist() for k, v in found.items()} == want
            except tf.errors.DataLossError:
                noticed += 1
        path.write_bytes(data)
    assert noticed > 0.8 * 250


def test_data_files_that_are_cut_off_are_damaged(tmp_path):
    write_bundle(str(tmp_path / "b"), {"x": np.arange(10.0)})
    path = tmp_path / "b.data-00000-of-00001"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(tf.errors.DataLossError, match="the tensor x can't be read: 80 bytes"):
        BundleReader(str(tmp_path / "b")).tensor("x")


@pytest.mark.parametrize(
    "entry",
    [
        b"\x08\x01\x12\x04\x12\x02\x08\x05\x28\x08",  # five floats in eight bytes
        b"\x08\x07\x12\x04\x12\x02\x08\x7f\x28\x08",  # more strings than bytes
        b"\x08\x07\x12\x00\x28\x02",  # no place for the lengths' checksum
        b"\x08\x01\x12\x00\x20\xff\xff\xff\xff\x0f\x28\x04",  # beyond the end of the file
        b"\x08\x01\x12\x0b\x12\x09\x08\xff\xff\xff\xff\xff\xff\xff\x7f\x28\x08",  # a shape without end
    ],
)
def test_entries_that_do_not_fit_their_files_are_damaged(tmp_path, entry):
    prefix = tmp_path / "b"
    write_bundle(str(prefix), {"x": np.zeros(2, np.float32)})
    rows = [(b"", bundles._HEADER), (b"x", entry)]
    (tmp_path / "b.index").write_bytes(bundles.table_bytes(rows))
    with pytest.raises(tf.errors.DataLossError, match="the tensor x can't be read"):
        BundleReader(str(prefix)).tensor("x")


@pytest.mark.parametrize(
    ("header", "entry", "error"),
    [
        (b"\x08\x01\x10\x01", b"", tf.errors.UnimplementedError),  # big-endian
        (b"", b"", tf.errors.DataLossError),  # no data files
        (b"\x08\x01", b"\x08\x63", tf.errors.DataLossError),  # an unknown dtype
        (b"\x08\x01", b"\x12\x0d\x12\x0b\x08" + b"\xff" * 9 + b"\x01", tf.errors.DataLossError),  # -1 rows
        (b"\x08\x01", b"\xff", tf.errors.DataLossError),
    ],
)
def test_indices_that_make_no_sense(tmp_path, header, entry, error):
    (tmp_path / "b.index").write_bytes(bundles.table_bytes([(b"", header), (b"x", entry)]))
    with pytest.raises(error):
        BundleReader(str(tmp_path / "b"))


def test_a_failed_write_leaves_what_was_there(tmp_path, monkeypatch):
    prefix = str(tmp_path / "b")
    write_bundle(prefix, {"x": np.zeros(2)})
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}

    class Broken:
        dtype, shape = np.dtype("float64"), ()

        def __array__(self, dtype=None, copy=None):
            raise RuntimeError("no value")

    with pytest.raises(RuntimeError, match="no value"):
        write_bundle(prefix, {"x": np.ones(2), "y": Broken()})
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def mutated(rng, data):
    """The bytes with a few of them changed, removed or repeated, or a number made long."""
    out = bytearray(data or b"\0")
    for _ in range(rng.randrange(1, 4)):
        place = rng.randrange(len(out) + 1)
        change = rng.randrange(4)
        stop = place + (change != 2)
        new = [bytes([rng.randrange(256)]), b"", rng.randbytes(3), b"\xff" * rng.randrange(1, 11)][change]
        out[place:stop] = new
    return bytes(out)


@pytest.mark.parametrize("name", ["sharded", "objects-1", "sliced"])
def test_entries_of_nonsense_with_good_checksums(tmp_path, name):
    """Whatever an index says, reading gives a tensor or one of TensorFlow's errors."""
    rows = list(read_table((FILES / f"{name}.index").read_bytes(), name))
    for file in FILES.glob(f"{name}.data*"):
        shutil.copy(file, tmp_path)
    rng = random.Random(1)
    refused = 0
    for _ in range(150):
        changed = dict(rows)
        key, value = rng.choice(rows)
        del changed[key]
        changed[mutated(rng, key) if rng.random() < 0.1 else key] = mutated(rng, value)
        (tmp_path / f"{name}.index").write_bytes(bundles.table_bytes(sorted(changed.items())))
        try:
            reader = BundleReader(str(tmp_path / name))
            for found in reader.entries:
                reader.tensor(found)
        except tf.errors.OpError as error:
            refused += 1
            assert name in error.message or "message is damaged" in error.message
    assert refused > 100
