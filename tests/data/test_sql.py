"""`SqlDataset` against what TensorFlow gives for the same database."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

import headwater as tf

ROWS = [
    (1, "x", 1.5, 1, b"\x00\xff"), (-5, "y", 2.5, 0, b"q"), (None, None, None, None, None), (300, "7", 3.0, 2, b""),
]  # fmt: skip
VALUES: list[tuple[str, Any, Any]] = [
    ("select a, b, c, d from t", (tf.int64, tf.string, tf.float64, tf.bool),
     [(1, b"x", 1.5, True), (-5, b"y", 2.5, False), (0, b"", 0.0, False), (300, b"7", 3.0, True)]),
    ("select a from t", (tf.int8,), [(1,), (-5,), (0,), (44,)]),
    ("select a from t", (tf.uint8,), [(1,), (251,), (0,), (44,)]),
    ("select a from t", (tf.uint16,), [(1,), (65531,), (0,), (300,)]),
    ("select a from t", (tf.float64,), [(1.0,), (-5.0,), (0.0,), (300.0,)]),
    ("select b from t", (tf.int32,), [(0,), (0,), (0,), (7,)]),
    ("select c from t", (tf.int32,), [(1,), (2,), (0,), (3,)]),
    ("select a, c from t", (tf.string, tf.string), [(b"1", b"1.5"), (b"-5", b"2.5"), (b"", b""), (b"300", b"3.0")]),
    ("select e from t", (tf.string,), [(b"\x00\xff",), (b"q",), (b"",), (b"",)]),
    ("select a from t where a > 1000", (tf.int64,), []),
]  # fmt: skip
ERRORS: list[tuple[str, str, Any, type[Exception]]] = [
    ("sqlite", "select a, b from t", (tf.int64,), tf.errors.InvalidArgumentError),
    ("sqlite", "selec a", (tf.int64,), tf.errors.UnknownError),
    ("sqlite", "select a from nothing", (tf.int64,), tf.errors.UnknownError),
    ("sqlite", "select c from t", (tf.float32,), tf.errors.InvalidArgumentError),
    ("mysql", "select a from t", (tf.int64,), tf.errors.InvalidArgumentError),
]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("sql") / "rows #1.db"
    connection = sqlite3.connect(path)
    connection.execute("create table t (a integer, b text, c real, d integer, e blob)")
    connection.executemany("insert into t values (?, ?, ?, ?, ?)", ROWS)
    connection.commit()
    connection.close()
    return str(path)


@pytest.mark.parametrize(("query", "types", "expected"), VALUES)
def test_rows(database: str, query: str, types: Any, expected: Any) -> None:
    dataset = tf.data.experimental.SqlDataset("sqlite", database, query, types)
    assert dataset.element_spec == tuple(tf.TensorSpec([], t) for t in types)
    for _ in range(2):
        assert [
            tuple(v.tolist() if hasattr(v, "tolist") else v for v in row)
            for row in dataset.as_numpy_iterator()
        ] == expected


@pytest.mark.parametrize(("driver", "query", "types", "error"), ERRORS)
def test_errors(database: str, driver: str, query: str, types: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="SqlDataset"):
        list(tf.data.experimental.SqlDataset(driver, database, query, types))


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    path = tmp_path / "none.db"
    with pytest.raises(tf.errors.UnknownError):
        list(tf.data.experimental.SqlDataset("sqlite", str(path), "select 1", (tf.int64,)))
    assert not path.exists()


def test_the_service_says_that_it_is_not_here() -> None:
    service = tf.data.experimental.service
    for name in ("distribute", "register_dataset", "DispatchServer", "WorkerServer"):
        with pytest.raises(NotImplementedError, match="data service"):
            getattr(service, name)("x")
