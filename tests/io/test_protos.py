"""`tf.io.decode_proto` and `encode_proto`: what is not there, and descriptions that are damaged; tests/data has the rest."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

import headwater as tf
from headwater._src.io import wire

DESCRIPTION = (Path(__file__).parent.parent / "data" / "messages.pb").read_bytes()
SOURCE = b"bytes://" + DESCRIPTION
NAMES = ["i32", "s", "d", "si", "fx", "f"]
TYPES = [tf.int32, tf.string, tf.float64, tf.int64, tf.uint32, tf.float32]


def described(*fields: bytes) -> bytes:
    """The source of a message q.M with these fields, in a file of the older syntax."""
    message = wire.field(1, b"M") + b"".join(wire.field(2, f) for f in fields)
    return b"bytes://" + wire.field(1, wire.field(2, b"q") + wire.field(4, message))


def field(name: bytes, number: int, kind: int, default: bytes | None = None) -> bytes:
    made = wire.field(1, name) + b"\x18" + wire.varint(number) + b"\x28" + wire.varint(kind)
    return made if default is None else made + wire.field(7, default)


def test_what_is_not_there_says_so() -> None:
    with pytest.raises(NotImplementedError, match="descriptor_source"):
        tf.io.decode_proto([b""], "tensorflow.Example", ["features"], [tf.string])
    with pytest.raises(NotImplementedError, match="binary"):
        tf.io.decode_proto(["i32: 7"], "p.M", ["i32"], [tf.int32], SOURCE, message_format="text")
    with pytest.raises(NotImplementedError, match="group"):
        tf.io.decode_proto([b""], "q.M", ["g"], [tf.string], described(field(b"g", 1, 10)))


@pytest.mark.parametrize(
    ("kind", "default", "dtype"),
    [(5, b"2147483648", tf.int32), (13, b"-1", tf.uint32), (4, b"18446744073709551616", tf.uint64), (1, b"?", tf.float64)],
)  # fmt: skip
def test_defaults_that_do_not_fit_are_refused(kind: int, default: bytes, dtype: tf.DType) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="FileDescriptorSet"):
        tf.io.decode_proto([b""], "q.M", ["f"], [dtype], described(field(b"f", 1, kind, default)))


@pytest.mark.parametrize("default", [b"inf", b"-inf", b"nan", b"1e300"])
def test_defaults_of_floats(default: bytes) -> None:
    source = described(field(b"f", 1, 1, default))
    found = tf.io.decode_proto([b""], "q.M", ["f"], [tf.float64], source).values[0].numpy()
    np.testing.assert_array_equal(found, [[float(default)]])


@pytest.mark.parametrize("seed", range(40))
def test_damaged_descriptions_and_messages_are_refused_or_read(seed: int) -> None:
    draw = random.Random(seed)
    data = bytearray(DESCRIPTION)
    for _ in range(draw.choice([0, 1, 3])):
        data[draw.randrange(len(data))] = draw.randrange(256)
    messages = [draw.randbytes(draw.randrange(16)) for _ in range(3)]
    try:
        found = tf.io.decode_proto(messages, "p.M", NAMES, TYPES, b"bytes://" + bytes(data))
    except (tf.errors.InvalidArgumentError, tf.errors.DataLossError, NotImplementedError):
        return
    assert found.sizes.shape == (3, len(NAMES))


def test_messages_in_groups_of_thousands_go_both_ways() -> None:
    numbers = tf.reshape(tf.range(3000), [1000, 3, 1])
    sizes = tf.ones([1000, 3, 1], tf.int32)
    found = tf.io.decode_proto(
        tf.io.encode_proto(sizes, [numbers], ["i32"], "p.M", SOURCE), "p.M", ["i32"], [tf.int32], SOURCE
    )
    np.testing.assert_array_equal(found.values[0], numbers)
