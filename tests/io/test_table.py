"""Sorted tables in files: what is written is read, TensorFlow's bytes are ours, and damage is noticed."""

from __future__ import annotations

import pathlib
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import headwater as tf
from headwater._src.io import table
from headwater._src.io.crc import crc32c, masked
from headwater._src.io.table import read_table, table_bytes

FILES = pathlib.Path(__file__).parent / "files"
ENTRIES = st.dictionaries(st.binary(max_size=20), st.binary(max_size=30), max_size=60).map(
    lambda found: sorted(found.items())
)


@settings(max_examples=80, deadline=None)
@given(ENTRIES, st.sampled_from([1, 50, 1 << 18]))
def test_what_is_written_is_read(entries, block):
    before, table._BLOCK = table._BLOCK, block
    try:
        data = table_bytes(entries)
    finally:
        table._BLOCK = before
    assert list(read_table(data, "t")) == entries


@pytest.mark.parametrize("name", ["objects-1", "keras-1", "sharded", "many"])
def test_the_bytes_are_tensorflows(name):
    data = (FILES / f"{name}.index").read_bytes()
    assert table_bytes(read_table(data, name)) == data


@pytest.mark.parametrize(
    ("low", "high", "between"),
    [
        (b"abc", b"abf", b"abd"),
        (b"abc", b"abd", b"abc"),
        (b"ab", b"abc", b"ab"),
        (b"a\xff", b"b", b"a\xff"),
        (b"a\xff", b"c", b"b"),
    ],
)
def test_short_keys_between_blocks(low, high, between):
    assert table._between(low, high) == between


@pytest.mark.parametrize(("key", "after"), [(b"abc", b"b"), (b"\xff\xff", b"\xff\xff"), (b"\xffa", b"\xffb")])
def test_short_keys_after_the_last_block(key, after):
    assert table._after(key) == after


def test_every_flipped_byte_is_noticed_or_harmless():
    entries = [(f"key{i}".encode(), bytes(i)) for i in range(40)]
    data = table_bytes(entries)
    noticed = 0
    for place in range(len(data)):
        for bit in (1, 128):
            changed = bytearray(data)
            changed[place] ^= bit
            try:
                assert list(read_table(bytes(changed), "t")) == entries
            except tf.errors.DataLossError as error:
                noticed += 1
                assert "t " in str(error)
    assert noticed > 1.9 * (len(data) - 40)


@pytest.mark.parametrize("size", [0, 10, 47, 48, 60, -1])
def test_cut_off_tables_are_damaged(size):
    data = table_bytes([(b"a", b"b")])
    with pytest.raises(tf.errors.DataLossError, match="can't be read"):
        list(read_table(data[:size], "t"))


def block(content: bytes, kind: int = 0) -> bytes:
    return content + bytes([kind]) + struct.pack("<I", masked(crc32c(content + bytes([kind]))))


def with_block(content: bytes, kind: int = 0) -> bytes:
    """A table with one block of this content."""
    index = b"\0\1\2k\0" + bytes([len(content)]) + struct.pack("<2I", 0, 1)
    data = block(content, kind)
    place = bytes([len(data), len(index)])
    return data + block(index) + (b"\0\0" + place).ljust(40, b"\0") + struct.pack("<Q", table._MAGIC)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0\0\0",
        b"\0\0\0" + struct.pack("<I", 9),
        b"\5\1\1ab" + struct.pack("<2I", 0, 1),  # shares five bytes with nothing
        b"\0\1\x09ab" + struct.pack("<2I", 0, 1),  # a value longer than the block
        b"\0\xff" + struct.pack("<2I", 0, 1),
    ],
)
def test_blocks_that_hold_nonsense_are_damaged(content):
    with pytest.raises(tf.errors.DataLossError):
        list(read_table(with_block(content), "t"))


def test_compressed_blocks_are_refused():
    good = b"\0\1\1ab" + struct.pack("<2I", 0, 1)
    assert list(read_table(with_block(good), "t")) == [(b"a", b"b")]
    with pytest.raises(tf.errors.UnimplementedError, match="compressed"):
        list(read_table(with_block(good, 1), "t"))


def test_keys_that_grow_without_end_are_refused(monkeypatch):
    monkeypatch.setattr(table, "MAX_KEY", 50)
    entries = [(b"a" * i, b"") for i in range(1, 60)]
    with pytest.raises(tf.errors.DataLossError, match="does not fit"):
        list(read_table(table_bytes(entries), "t"))
    monkeypatch.setattr(table, "MAX_TABLE", 400)
    data = table_bytes([(b"a" * i, b"") for i in range(1, 40)])
    assert len(data) < 400
    with pytest.raises(tf.errors.DataLossError, match="more than 400"):
        list(read_table(data, "t"))
