"""Files and serialized values against what TensorFlow 2.21 reads, writes and gives for the same expressions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from elements import L, plain

import headwater
from headwater._src.io.crc import crc32c, crcs
from headwater._src.io.records import read_records

RECORDS = [b"", b"a", b"hello, world" * 3, bytes(range(256))]
WRITTEN = {
    '': '000000000000000029039807d8ea82a201000000000000000175de4161786ee4282400000000000000422b804d68656c6c6f2c20776f726c6468656c6c6f2c20776f726c6468656c6c6f2c20776f726c6407224ba000010000000000002fb308df000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff60231ad3',
    'GZIP': '1f8b0800000000000003636080004de619ec375e352d6284f2194bef392656e43dd150810a386937f866a4e6e4e4eb2894e717e5a4e062b32b792f60809aa2bf99e33e032313330b2b1b3b072717370f2f1fbf80a090b088a898b884a494b48cac9cbc82a292b28aaa9aba86a696b68eae9ebe81a191b189a999b985a595b58dad9dbd83a393b38bab9bbb87a797b78faf9f7f4060507048685878446454744c6c5c7c426252724a6a5a7a466656764e6e5e7e4161517149695979456555754d6d5d7d436353734b6b5b7b476757774f6f5fff848993264f993a6dfa8c99b366cf993b6ffe82858b162f59ba6cf98a95ab56af59bb6efd868d9b366fd9ba6dfb8e9dbb76efd9bb6fff8183870e1f397aecf88993a74e9f397beefc858b972e5fb97aedfa8d9bb76edfb97beffe83878f1e3f79faecf98b97af5ebf79fbeefd878f9f3e7ff9faedfb8f9fbf7efff9fbef7f82b2d46500da51044565010000',
    'ZLIB': '789c636080004de619ec375e352d6284f2194bef392656e43dd150810a386937f866a4e6e4e4eb2894e717e5a4e062b32b792f60809aa2bf99e33e032313330b2b1b3b072717370f2f1fbf80a090b088a898b884a494b48cac9cbc82a292b28aaa9aba86a696b68eae9ebe81a191b189a999b985a595b58dad9dbd83a393b38bab9bbb87a797b78faf9f7f4060507048685878446454744c6c5c7c426252724a6a5a7a466656764e6e5e7e4161517149695979456555754d6d5d7d436353734b6b5b7b476757774f6f5fff848993264f993a6dfa8c99b366cf993b6ffe82858b162f59ba6cf98a95ab56af59bb6efd868d9b366fd9ba6dfb8e9dbb76efd9bb6fff8183870e1f397aecf88993a74e9f397beefc858b972e5fb97aedfa8d9bb76edfb97beffe83878f1e3f79faecf98b97af5ebf79fbeefd878f9f3e7ff9faedfb8f9fbf7efff9fbef7f82b2d46500fbde9a5f',
}  # fmt: skip
"""The same records as TensorFlow writes them, by compression."""


def _features(**values: Any) -> dict[str, Any]:
    train, found = headwater.train, {}
    for name, value in values.items():
        if isinstance(value[0], int):
            found[name] = train.Feature(int64_list=train.Int64List(value=value))
        elif isinstance(value[0], float):
            found[name] = train.Feature(float_list=train.FloatList(value=value))
        else:
            found[name] = train.Feature(bytes_list=train.BytesList(value=value))
    return found


def _names() -> dict[str, Any]:
    train = headwater.train
    steps = {
        "s": train.FeatureList(feature=[_features(x=[5])["x"], _features(x=[6])["x"]]),
        "t": train.FeatureList(feature=[_features(x=[b"a", b"b"])["x"], _features(x=[b"c"])["x"]]),
    }
    first = train.Features(feature=_features(a=[1, 2], s=[b"x"], v=[1.5, 2.5], i=[7, 3]))
    second = train.Features(feature=_features(a=[300, -4], v=[9.0], i=[2], neg=[-1]))
    sequence = train.SequenceExample(
        context=train.Features(feature=_features(l=[2])), feature_lists=train.FeatureLists(feature_list=steps)
    )
    return {
        "tf": headwater, "D": headwater.data.Dataset, "L": L, "C": headwater.constant, "np": np,
        "ex1": train.Example(features=first).SerializeToString(),
        "ex2": train.Example(features=second).SerializeToString(), "seq": sequence.SerializeToString(),
    }  # fmt: skip


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "t1").write_bytes(b"one\r\ntwo\n\nlast")
    (tmp_path / "t2").write_bytes(b"x\ny\n")
    (tmp_path / "c1").write_bytes(b'a,b,c,d\n1.5,,q,4\n2,3,"w,""z",5\n7,8,"two\nlines",9\n')
    monkeypatch.chdir(tmp_path)


VALUES: list[tuple[str, Any]] = [
    ("L(D.from_tensor_slices(['t1', 't2']).interleave(lambda f: tf.data.TextLineDataset(f), cycle_length=2))",
     ['one', 'x', 'two', 'y', '', 'last']),
    ("L(tf.data.TextLineDataset(['t1', 't2']))",
     ['one', 'two', '', 'last', 'x', 'y']),
    ("L(tf.data.TextLineDataset(D.from_tensor_slices(['t1'])).skip(1))",
     ['two', '', 'last']),
    ("repr(tf.data.TextLineDataset('t1'))",
     '<TextLineDatasetV2 element_spec=TensorSpec(shape=(), dtype=tf.string, name=None)>'),
    ("L(tf.data.FixedLengthRecordDataset('t1', 2, 1, 1))",
     ['ne', '\r\n', 'tw', 'o\n', '\nl', 'as']),
    ("L(tf.data.experimental.CsvDataset('c1', [tf.float32, C([0.0]), C(['x']), tf.int32], header=True))",
     [[1.5, 0.0, 'q', 4], [2.0, 3.0, 'w,"z', 5], [7.0, 8.0, 'two\nlines', 9]]),
    ("L(D.list_files(['t?'], shuffle=False))",
     ['t1', 't2']),
    ("sorted(L(D.list_files('t?')))",
     ['t1', 't2']),
    ('tf.io.decode_csv([\'1,2.5,a\', \'3,,"b,""c"\'], [0, 1.5, \'\'])',
     [[1, 3], [2.5, 1.5], ['a', 'b,"c']]),
    ("tf.io.decode_csv(['1 2 3', '4 NA 6'], [C([0]), C([5], tf.int64)], ' ', na_value='NA', select_cols=[0, 1])",
     [[1, 4], [2, 5]]),
    ('tf.io.serialize_tensor(tf.range(6.0)[:3])',
     '\x08\x01\x12\x04\x12\x02\x08\x03"\x0c\x00\x00\x00\x00\x00\x00\x80?\x00\x00\x00@'),
    ("tf.io.serialize_tensor(tf.constant([['a', 'bc']]))",
     '\x08\x07\x12\x08\x12\x02\x08\x01\x12\x02\x08\x02B\x01aB\x02bc'),
    ('tf.io.serialize_tensor(tf.constant(True))',
     '\x08\n\x12\x00"\x01\x01'),
    ('tf.io.serialize_tensor(tf.zeros([0, 2]))',
     '\x08\x01\x12\x06\x12\x00\x12\x02\x08\x02'),
    ('tf.io.serialize_tensor(tf.constant(1.5, tf.bfloat16))',
     '\x08\x0e\x12\x00"\x02À?'),
    ("tf.io.parse_tensor(tf.io.serialize_tensor(tf.constant([['a', 'bc']])), tf.string)",
     [['a', 'bc']]),
    ('tf.io.parse_tensor(tf.io.serialize_tensor(tf.range(5)), tf.int32)',
     [0, 1, 2, 3, 4]),
    ("tf.io.decode_raw(['abcd', 'efgh'], tf.int16)",
     [[25185, 25699], [26213, 26727]]),
    ("tf.io.decode_raw(['abcd'], tf.int16, little_endian=False)",
     [[24930, 25444]]),
    ("tf.io.decode_raw(['abc', 'e'], tf.uint8, fixed_length=2)",
     [[97, 98], [101, 0]]),
    ("tf.io.encode_base64(['hello', b'\\xff\\xfe'])",
     ['aGVsbG8', '__4']),
    ("tf.io.encode_base64(['hello'], pad=True)",
     ['aGVsbG8=']),
    ("tf.io.decode_base64(['aGVsbG8', 'aGVsbG8='])",
     ['hello', 'hello']),
    ("tf.io.decode_compressed(tf.constant(__import__('gzip').compress(b'abc')), 'GZIP')",
     'abc'),
    ("tf.io.parse_example([ex1, ex2], {'a': tf.io.FixedLenFeature([2], tf.int64), 's': tf.io.FixedLenFeature([], tf.string, 'd')})",
     {'a': [[1, 2], [300, -4]], 's': ['x', 'd']}),
    ("tf.io.parse_example([ex1, ex2], {'v': tf.io.VarLenFeature(tf.float32)})",
     {'v': ['sparse', [[0, 0], [0, 1], [1, 0]], [1.5, 2.5, 9.0], [2, 2]]}),
    ("tf.io.parse_example([ex1, ex2], {'v': tf.io.FixedLenSequenceFeature([], tf.float32, True, -1.0)})",
     {'v': [[1.5, 2.5], [9.0, -1.0]]}),
    ("tf.io.parse_example([ex1, ex2], {'sp': tf.io.SparseFeature('i', 'v', tf.float32, 10)})",
     {'sp': ['sparse', [[0, 3], [0, 7], [1, 2]], [2.5, 1.5, 9.0], [2, 10]]}),
    ("tf.io.parse_single_example(ex1, {'a': tf.io.FixedLenFeature([2], tf.int64), 'v': tf.io.VarLenFeature(tf.float32), 's': tf.io.FixedLenFeature([], tf.string, '')})",
     {'v': ['sparse', [[0], [1]], [1.5, 2.5], [2]], 'a': [1, 2], 's': 'x'}),
    ("tf.io.parse_single_example(ex2, {'v': tf.io.FixedLenSequenceFeature([], tf.float32, True), 'neg': tf.io.FixedLenFeature([], tf.int64, -3)})",
     {'neg': -1, 'v': [9.0]}),
    ("L(D.from_tensor_slices([ex1, ex2]).map(lambda e: tf.io.parse_single_example(e, {'a': tf.io.FixedLenFeature([2], tf.int64)})).batch(2))",
     [{'a': [[1, 2], [300, -4]]}]),
    ("repr(D.from_tensor_slices([ex1, ex2]).batch(2).map(lambda e: tf.io.parse_example(e, {'a': tf.io.FixedLenFeature([2], tf.int64), 'v': tf.io.VarLenFeature(tf.float32)})).element_spec)",
     "{'v': SparseTensorSpec(TensorShape([None, None]), tf.float32), 'a': TensorSpec(shape=(None, 2), dtype=tf.int64, name=None)}"),
    ("tf.io.parse_single_sequence_example(seq, {'l': tf.io.FixedLenFeature([], tf.int64)}, {'s': tf.io.FixedLenSequenceFeature([], tf.int64)})",
     [{'l': 2}, {'s': [5, 6]}]),
    ("tf.io.parse_sequence_example([seq, seq], {'l': tf.io.FixedLenFeature([], tf.int64)}, {'s': tf.io.FixedLenSequenceFeature([], tf.int64), 't': tf.io.VarLenFeature(tf.string)})",
     [{'l': [2, 2]}, {'t': ['sparse', [[0, 0, 0], [0, 0, 1], [0, 1, 0], [1, 0, 0], [1, 0, 1], [1, 1, 0]], ['a', 'b', 'c', 'a', 'b', 'c'], [2, 2, 2]], 's': [[5, 6], [5, 6]]}, {'s': [2, 2]}]),
    ("tf.io.parse_single_sequence_example(seq, None, {'t': tf.io.VarLenFeature(tf.string)})",
     [{}, {'t': ['sparse', [[0, 0], [0, 1], [1, 0]], ['a', 'b', 'c'], [2, 2]]}]),
    ('tf.io.parse_single_example(tf.io.decode_json_example(\'{"features": {"feature": {"a": {"int64List": {"value": ["1", 2]}}}}}\'), {\'a\': tf.io.FixedLenFeature([2], tf.int64)})',
     {'a': [1, 2]}),
    ("tf.function(lambda p: tf.io.read_file(p))('t1')",
     'one\r\ntwo\n\nlast'),
]  # fmt: skip

ERRORS: list[tuple[str, str]] = [
    ("L(tf.data.FixedLengthRecordDataset('t1', 4))", 'InvalidArgumentError'),
    ("L(tf.data.experimental.CsvDataset('c1', [0.0]))", 'InvalidArgumentError'),
    ("tf.io.decode_csv(['1,2'], [0])", 'InvalidArgumentError'),
    ("tf.io.decode_csv(['1,'], [0, C([], tf.int32)])", 'InvalidArgumentError'),
    ("tf.io.decode_csv(['x'], [0])", 'InvalidArgumentError'),
    ('tf.io.decode_csv([\'"a\'], [\'\'])', 'InvalidArgumentError'),
    ('tf.io.decode_csv([\'a"b\'], [\'\'])', 'InvalidArgumentError'),
    ('tf.io.parse_tensor(tf.io.serialize_tensor(tf.range(5)), tf.int64)', 'InvalidArgumentError'),
    ("tf.io.parse_tensor('rubbish', tf.int64)", 'InvalidArgumentError'),
    ("tf.io.decode_raw(['abc', 'e'], tf.uint8)", 'InvalidArgumentError'),
    ("tf.io.decode_raw(['abc'], tf.int16)", 'InvalidArgumentError'),
    ("tf.io.decode_base64(['a*'])", 'InvalidArgumentError'),
    ("tf.io.decode_compressed('abc', 'ZLIB')", 'DataLossError'),
    ("tf.io.parse_example([ex1, ex2], {'v': tf.io.FixedLenFeature([1], tf.float32)})", 'InvalidArgumentError'),
    ("tf.io.parse_example([ex1, ex2], {'a': tf.io.FixedLenFeature([2], tf.float32)})", 'InvalidArgumentError'),
    ("tf.io.parse_example([ex1, ex2], {'q': tf.io.FixedLenFeature([2], tf.float32)})", 'InvalidArgumentError'),
    ("tf.io.parse_example(['rubbish'], {'q': tf.io.FixedLenFeature([2], tf.float32)})", 'InvalidArgumentError'),
    ('tf.io.parse_example([ex1], {})', 'ValueError'),
    ("tf.io.parse_single_sequence_example(seq, None, {'zz': tf.io.FixedLenSequenceFeature([], tf.int64)})", 'InvalidArgumentError'),
    ("tf.io.decode_json_example('nonsense')", 'InvalidArgumentError'),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), VALUES, ids=[t for t, _ in VALUES])
def test_values(text: str, expected: Any) -> None:
    assert plain(eval(text, _names())) == expected


@pytest.mark.parametrize(("text", "expected"), ERRORS, ids=[t for t, _ in ERRORS])
def test_errors(text: str, expected: str) -> None:
    with pytest.raises(Exception) as caught:
        plain(eval(text, _names()))
    assert type(caught.value).__name__ == expected


@pytest.mark.parametrize("compression", WRITTEN)
def test_records_go_both_ways(compression: str) -> None:
    Path("theirs").write_bytes(bytes.fromhex(WRITTEN[compression]))
    dataset = headwater.data.TFRecordDataset("theirs", compression)
    assert [t.numpy() for t in dataset] == RECORDS
    with headwater.io.TFRecordWriter("ours", compression) as writer:
        for record in RECORDS:
            writer.write(record)
    assert list(read_records("ours", compression)) == RECORDS
    if not compression:
        assert Path("ours").read_bytes() == Path("theirs").read_bytes()


def test_damaged_records_are_noticed_where_they_are() -> None:
    data = bytearray.fromhex(WRITTEN[""])
    cases = {
        "cut": data[:-3],
        "head": data[:20] + b"\xff" + data[21:],
        "body": data[:45] + b"\xff" + data[46:],
    }
    before = {"cut": 3, "head": 1, "body": 2}
    for name, damaged in cases.items():
        Path(name).write_bytes(damaged)
        found = []
        with pytest.raises(headwater.errors.DataLossError, match=name):
            found.extend(_collected(headwater.data.TFRecordDataset(name), found))
        assert found == RECORDS[: before[name]]
        with pytest.raises(headwater.errors.DataLossError):
            list(headwater.data.TFRecordDataset(name).batch(2))


LENGTHS = [0, 1, 3, 4, 50, 999, 1000, 20000, 300_000, 1_500_000, 7, 200_000, *range(200, 500)]


@pytest.mark.parametrize("compression", ["", "ZLIB"])
def test_records_of_any_length_are_read(compression: str) -> None:
    rng = np.random.default_rng(0)
    records = [rng.bytes(n) for n in LENGTHS]
    with headwater.io.TFRecordWriter("any", compression) as writer:
        for record in records:
            writer.write(record)
    assert list(read_records("any", compression)) == records


@pytest.mark.parametrize("number", [0, 2, 5, 9, 40, len(LENGTHS) - 1])
def test_a_changed_bit_is_noticed_in_any_part_of_a_record(number: int) -> None:
    rng = np.random.default_rng(number)
    with headwater.io.TFRecordWriter("bits") as writer:
        for n in LENGTHS:
            writer.write(rng.bytes(n))
    whole = Path("bits").read_bytes()
    first = sum(LENGTHS[:number]) + 16 * number
    last = first + LENGTHS[number] + 15
    for place in {first + 8, first + 11, first + 12, (first + last) // 2, last - 4, last}:
        data = bytearray(whole)
        data[place] ^= 1 << int(rng.integers(8))
        Path("bits").write_bytes(data)
        found = []
        with pytest.raises(headwater.errors.DataLossError, match=f"byte {first} "):
            found.extend(_taken(read_records("bits"), found))
        assert len(found) == number


def _taken(records: Any, found: list[bytes]) -> list[bytes]:
    for record in records:
        found.append(record)
    return []


def _collected(dataset: Any, found: list[Any]) -> list[Any]:
    for element in dataset:
        found.append(element.numpy())
    return []


def test_tables_in_batches() -> None:
    table = headwater.data.experimental.CsvDataset("c1", [0.0, 9], header=True, select_cols=[0, 3])
    assert L(table.batch(2)) == [[[1.5, 2.0], [4, 5]], [[7.0], [9]]]
    rows = headwater.data.experimental.make_csv_dataset("c?", 2, label_name="d", num_epochs=1, shuffle=False)
    expected = [
        [{"a": [1.5, 2.0], "b": [0, 3], "c": ["q", 'w,"z']}, [4, 5]],
        [{"a": [7.0], "b": [8], "c": ["two\nlines"]}, [9]],
    ]
    assert L(rows) == expected


def test_a_missing_file() -> None:
    with pytest.raises(headwater.errors.NotFoundError):
        list(headwater.data.TFRecordDataset("missing"))


def test_a_writer_publishes_whole_files_only() -> None:
    writer = headwater.io.TFRecordWriter("new")
    writer.write(b"one")
    assert not Path("new").exists()
    writer.flush()
    assert list(read_records("new")) == [b"one"]
    writer.write(b"two")
    writer.close()
    assert list(read_records("new")) == [b"one", b"two"]
    assert [p.name for p in Path().glob("*.tmp")] == []
    with pytest.raises(headwater.errors.FailedPreconditionError):
        writer.write(b"three")


def test_a_length_beyond_the_limit_is_refused_before_anything_is_read() -> None:
    import struct

    from headwater._src.io.crc import masked

    length = struct.pack("<Q", 1 << 40)
    Path("huge").write_bytes(length + struct.pack("<I", masked(crc32c(length))) + b"x" * 8)
    with pytest.raises(headwater.errors.DataLossError, match="most"):
        list(read_records("huge"))


def test_checksums() -> None:
    assert crc32c(b"123456789") == 0xE3069283  # the check value of the algorithm's catalogue
    rng = np.random.default_rng(0)
    lengths = [0, 1, 3, 4, 5, 31, 32, 33, 200, 1023, 1024, 1025, 3000, 20000, 120_000]
    texts = [rng.bytes(n) for n in lengths]

    def plainly(data: bytes) -> int:
        register = 0xFFFFFFFF
        for byte in data:
            register ^= byte
            for _ in range(8):
                register = register >> 1 ^ (0x82F63B78 if register & 1 else 0)
        return register ^ 0xFFFFFFFF

    expected = [plainly(t) for t in texts]
    assert [crc32c(t) for t in texts] == expected
    assert crcs(texts).tolist() == expected


def test_messages_behave_like_protocol_buffers() -> None:
    train = headwater.train
    example = train.Example()
    example.features.feature["q"].int64_list.value.extend([3, 4])
    example.features.feature["w"].bytes_list.value.append(b"z")
    serialized = example.SerializeToString()
    again = train.Example.FromString(serialized)
    assert again == example
    assert again.ByteSize() == len(serialized)
    assert again.features.feature["w"].WhichOneof("kind") == "bytes_list"
    assert again.features.feature["none"].WhichOneof("kind") is None
    with pytest.raises(TypeError):
        example.features.feature["q"].int64_list.value.append(1.5)
    with pytest.raises(TypeError):
        train.BytesList(value=["text"])
    with pytest.raises(ValueError, match="no field"):
        train.Feature(foo=1)
    for damaged in (serialized[:-1], b"\xff" * 12, b"\x0a\x7f"):
        with pytest.raises(headwater.errors.DataLossError):
            train.Example.FromString(damaged)


def test_a_damaged_tensor_is_refused() -> None:
    good = headwater.io.serialize_tensor(headwater.range(6)).numpy()
    huge = b"\x08\x03\x12\x0c\x12\x0a\x08" + b"\xff" * 8 + b"\x7f"
    for damaged in (good[:-1], good + b"\x00", huge, b"\x08\x63"):
        with pytest.raises(headwater.errors.InvalidArgumentError):
            headwater.io.parse_tensor(damaged, headwater.int32)


def _example(**values: Any) -> bytes:
    features = headwater.train.Features(feature=_features(**values))
    return headwater.train.Example(features=features).SerializeToString()


LAYOUTS: dict[str, list[bytes]] = {
    "alike": [_example(x=[i * 0.5, 1.0], y=[i, -i], s=[b"%02d" % i]) for i in range(20)],
    "integers of two lengths": [
        _example(x=[1.0, 2.0], y=[i * 20, 400 - i * 20], s=[b"a"]) for i in range(20)
    ],
    "strings of many lengths": [
        _example(x=[1.0, i * 1.0], y=[300 + i, i], s=[b"a" * (i % 3)]) for i in range(20)
    ],
    "more features than asked for": [
        _example(x=[1.0, i * 1.0], y=[i, -i], s=[b"b"], z=[b"%03d" % i], w=[i]) for i in range(20)
    ],
    "extremes": [_example(x=[3e38, -0.0], y=[-(2**63) + i, 2**63 - 1 - i], s=[b"\x80"]) for i in range(5)],
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_records_parsed_together_are_those_parsed_alone(layout: str) -> None:
    io, records = headwater.io, LAYOUTS[layout]
    features = {
        "x": io.FixedLenFeature([2], headwater.float32), "y": io.FixedLenFeature([1, 2], headwater.int64),
        "s": io.FixedLenFeature([], headwater.string),
    }  # fmt: skip
    together = io.parse_example(records, features)
    alone = [io.parse_single_example(r, features) for r in records]
    for key in features:
        assert plain(together[key]) == [plain(row[key]) for row in alone]


def test_records_that_only_look_alike_are_parsed_alone() -> None:
    io = headwater.io
    good = _example(x=[1.0, 2.0])
    other_name = good.replace(b"x", b"z")
    features = {"x": io.FixedLenFeature([2], headwater.float32, [7.0, 8.0])}
    found = io.parse_example([good] * 5 + [other_name], features)
    assert plain(found["x"]) == [[1.0, 2.0]] * 5 + [[7.0, 8.0]]
    with pytest.raises(headwater.errors.InvalidArgumentError, match="record 5"):
        io.parse_example([good] * 5 + [other_name], {"x": io.FixedLenFeature([2], headwater.float32)})
    with pytest.raises(headwater.errors.InvalidArgumentError):
        io.parse_example([good] * 5, {"x": io.FixedLenFeature([3], headwater.float32)})
    with pytest.raises(headwater.errors.InvalidArgumentError):
        io.parse_example([good] * 5, {"x": io.FixedLenFeature([2], headwater.int64)})
