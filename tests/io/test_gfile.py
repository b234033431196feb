"""`tf.io.gfile` on the local file system, whole files as tensors, and `tf.compat`'s bytes and text."""

import os

import pytest

import headwater as tf

gfile = tf.io.gfile


def test_a_directory_from_beginning_to_end(tmp_path):
    top = gfile.join(str(tmp_path), "a", "b")
    gfile.makedirs(top)
    gfile.makedirs(top)
    with gfile.GFile(gfile.join(top, "x.txt"), "w") as file:
        file.write("one\ntwo\n")
    assert gfile.exists(top) and gfile.isdir(top) and gfile.listdir(top) == ["x.txt"]
    assert gfile.glob([f"{top}/*.txt", f"{top}/*.no"]) == [f"{top}/x.txt"]
    gfile.copy(f"{top}/x.txt", f"{top}/y.txt")
    gfile.rename(f"{top}/y.txt", f"file://{top}/z.txt")
    assert sorted(gfile.listdir(top)) == ["x.txt", "z.txt"]
    found = gfile.stat(f"{top}/z.txt")
    assert (found.length, found.is_directory) == (8, False)
    assert [(d, sorted(f)) for d, _, f in gfile.walk(top)] == [(top, ["x.txt", "z.txt"])]
    gfile.remove(f"{top}/z.txt")
    gfile.rmtree(str(tmp_path / "a"))
    assert not gfile.exists(top)


def test_reading(tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("one\ntwo\n", encoding="utf-8")
    with gfile.GFile(path) as file:
        assert file.size() == 8 and file.readline() == "one\n" and list(file) == ["two\n"]
        file.seek(0)
        assert file.read(3) == "one" and file.tell() == 3
    assert gfile.GFile(path, "rb").read() == b"one\ntwo\n"


@pytest.mark.parametrize(
    ("error", "act"),
    [
        ("NotFoundError", lambda d: gfile.GFile(d / "no").read()),
        ("NotFoundError", lambda d: gfile.listdir(d / "no")),
        ("NotFoundError", lambda d: gfile.remove(d / "no")),
        ("NotFoundError", lambda d: gfile.stat(d / "no")),
        ("NotFoundError", lambda d: gfile.rmtree(d / "no")),
        ("NotFoundError", lambda d: gfile.mkdir(d / "no" / "deeper")),
        ("AlreadyExistsError", lambda d: gfile.mkdir(d)),
        ("AlreadyExistsError", lambda d: gfile.copy(d / "x", d / "y")),
        ("AlreadyExistsError", lambda d: gfile.rename(d / "x", d / "y")),
        ("FailedPreconditionError", lambda d: gfile.remove(d)),
        ("InvalidArgumentError", lambda d: gfile.GFile(d / "x", "q")),
        ("PermissionDeniedError", lambda d: gfile.GFile(d / "x", "r").write("a")),
        ("PermissionDeniedError", lambda d: gfile.GFile(d / "x", "w").read()),
        ("UnimplementedError", lambda d: gfile.exists("gs://bucket/x")),
        ("NotFoundError", lambda d: tf.io.read_file(str(d / "no"))),
        ("InvalidArgumentError", lambda d: tf.io.read_file([str(d / "x")])),
    ],
)
def test_error_classes(tmp_path, error, act):
    (tmp_path / "x").write_text("x")
    (tmp_path / "y").write_text("y")
    with pytest.raises(getattr(tf.errors, error)):
        act(tmp_path)
    assert (tmp_path / "y").read_text() == "y"


def test_whole_files(tmp_path):
    path = str(tmp_path / "new" / "x.bin")
    tf.io.write_file(path, b"\x00\xff")
    assert tf.io.read_file(tf.constant(path)).numpy() == b"\x00\xff"
    tf.io.write_file(path, "again")
    assert os.listdir(tmp_path / "new") == ["x.bin"]
    assert tf.io.matching_files(str(tmp_path / "new" / "*")).numpy().tolist() == [path.encode()]


@pytest.mark.parametrize(
    ("function", "value", "expected"),
    [
        ("as_bytes", "é", "é".encode()),
        ("as_bytes", bytearray(b"a"), b"a"),
        ("as_text", b"a", "a"),
        ("as_str", "a", "a"),
        ("as_str_any", 1.5, "1.5"),
        ("as_str_any", b"a", "a"),
    ],
)
def test_bytes_and_text(function, value, expected):
    assert getattr(tf.compat, function)(value) == expected


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: tf.compat.as_bytes(1), TypeError),
        (lambda: tf.compat.as_text(None), TypeError),
        (lambda: tf.compat.as_text(b"a", "no-codec"), LookupError),
    ],
)
def test_bytes_and_text_refuse(call, error):
    with pytest.raises(error):
        call()
