"""Queues: order, batches, padding, closing, and threads."""

from __future__ import annotations

import itertools
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import headwater as tf


def _full(count, capacity=10, **kwargs):
    queue = tf.queue.FIFOQueue(capacity, [tf.int32], shapes=[[]], **kwargs)
    if count:
        queue.enqueue_many((list(range(count)),))
    return queue


def test_fifo_order_and_batches():
    queue = _full(5)
    assert int(queue.dequeue()) == 0
    assert queue.dequeue_many(2).numpy().tolist() == [1, 2]
    queue.close()
    assert queue.dequeue_up_to(9).numpy().tolist() == [3, 4]
    with pytest.raises(tf.errors.OutOfRangeError):
        queue.dequeue()
    with pytest.raises(tf.errors.CancelledError):
        queue.enqueue(1)


def test_names_make_dictionaries():
    queue = tf.queue.FIFOQueue(4, [tf.int32, tf.string], shapes=[[], []], names=["a", "b"])
    queue.enqueue({"a": 1, "b": "x"})
    assert {k: v.numpy() for k, v in queue.dequeue().items()} == {"a": 1, "b": b"x"}
    with pytest.raises(ValueError):
        queue.enqueue({"a": 1})


def test_padding():
    queue = tf.queue.PaddingFIFOQueue(4, [tf.int32], shapes=[[None]])
    queue.enqueue(([1, 2, 3],))
    queue.enqueue(([4],))
    assert queue.dequeue_many(2).numpy().tolist() == [[1, 2, 3], [4, 0, 0]]


def test_priority():
    queue = tf.queue.PriorityQueue(10, [tf.string], shapes=[[]])
    queue.enqueue_many(([3, 1, 1, 2], ["c", "a", "a2", "b"]))
    assert queue.dequeue_many(4)[1].numpy().tolist() == [b"a", b"a2", b"b", b"c"]


def test_shuffle_keeps_elements_and_repeats_with_seeds():
    def drawn():
        queue = tf.queue.RandomShuffleQueue(20, 0, [tf.int32], shapes=[[]], seed=7)
        queue.enqueue_many((list(range(20)),))
        return queue.dequeue_many(20).numpy().tolist()

    assert sorted(drawn()) == list(range(20)) != drawn()
    assert drawn() == drawn()


def _waiter(queue, call):
    results = []

    def run():
        try:
            results.append(call(queue))
        except tf.errors.OpError as error:
            results.append(type(error))

    thread = threading.Thread(target=run)
    thread.start()
    return thread, results


@pytest.mark.parametrize(
    ("count", "capacity", "call", "cancel", "error"),
    [
        (0, 2, lambda q: q.dequeue(), False, "OutOfRangeError"),
        (1, 2, lambda q: q.dequeue_many(2), False, "OutOfRangeError"),
        (2, 2, lambda q: q.enqueue(9), True, "CancelledError"),
    ],
)
def test_closing_wakes_waiters(count, capacity, call, cancel, error):
    queue = _full(count, capacity)
    thread, results = _waiter(queue, call)
    thread.join(0.1)
    assert thread.is_alive()
    queue.close(cancel_pending_enqueues=cancel)
    thread.join(20)
    assert results == [getattr(tf.errors, error)]
    assert int(queue.size()) == count


def test_pending_enqueue_survives_a_plain_close():
    queue = _full(2, 2)
    thread, results = _waiter(queue, lambda q: q.enqueue(9))
    thread.join(0.1)
    queue.close()
    assert queue.dequeue_many(3).numpy().tolist() == [0, 1, 9]
    thread.join(20)
    assert results == [None]


def test_nothing_is_lost_or_doubled_under_threads():
    queue = tf.queue.FIFOQueue(1000, [tf.int32], shapes=[[]])
    seen = [[] for _ in range(8)]

    def produce(k):
        for start in range(k * 12500, (k + 1) * 12500, 250):
            queue.enqueue_many((np.arange(start, start + 250, dtype=np.int32),))

    def consume(k):
        for _ in range(50):
            seen[k].extend(queue.dequeue_many(250).numpy().tolist())

    threads = [
        threading.Thread(target=f, args=(k,), daemon=True) for k in range(8) for f in (produce, consume)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(x for part in seen for x in part) == list(range(100_000))


def test_in_a_function():
    queue = tf.queue.FIFOQueue(10, [tf.int32], shapes=[[]])

    @tf.function
    def step(x):
        queue.enqueue(x)
        queue.enqueue(x + 1)
        return queue.dequeue(), queue.size()

    assert [int(t) for t in step(tf.constant(3))] == [3, 1]
    assert [int(t) for t in step(tf.constant(7))] == [4, 2]


KINDS = {
    "fifo": lambda size: tf.queue.FIFOQueue(size, [tf.int64], shapes=[[]]),
    "padding": lambda size: tf.queue.PaddingFIFOQueue(size, [tf.int64], shapes=[[]]),
    "shuffle": lambda size: tf.queue.RandomShuffleQueue(size, size // 4, [tf.int64], shapes=[[]]),
    "priority": lambda size: tf.queue.PriorityQueue(size, [tf.int64], shapes=[[]]),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_keeps_all_elements_between_threads_until_it_is_closed(kind):
    """Eight producers, half of them in functions, close the queue when all are done; eight consumers take what is left."""
    queue, total, at_once = KINDS[kind](300), 20_000, 50
    seen, errors = [[] for _ in range(8)], []
    put = tf.function(lambda *parts: queue.enqueue_many(parts) and None, autograph=False)
    take = tf.function(lambda: queue.dequeue_up_to(37), autograph=False)

    def produce(k):
        for start in range(k * total // 8, (k + 1) * total // 8, at_once):
            values = np.arange(start, start + at_once)
            parts = (values % 7, values) if kind == "priority" else (values,)
            if k % 2:
                put(*map(tf.constant, parts))
            else:
                queue.enqueue_many(parts)

    def consume(k):
        try:
            while True:
                taken = take() if k % 2 else queue.dequeue_up_to(37)
                seen[k].extend(np.asarray(taken[1] if kind == "priority" else taken).tolist())
        except tf.errors.OutOfRangeError:
            errors.append(k)

    producers, consumers = (
        [threading.Thread(target=f, args=(k,), daemon=True) for k in range(8)] for f in (produce, consume)
    )
    for thread in producers + consumers:
        thread.start()
    for thread in producers:
        thread.join(60)
    queue.close()
    for thread in consumers:
        thread.join(60)
    assert sorted(errors) == list(range(8))
    assert sorted(x for part in seen for x in part) == list(range(total))
    if kind in ("fifo", "padding"):  # what one consumer gets of one producer stays in order
        for part in seen:
            assert all(
                a < b
                for k in range(8)
                for a, b in itertools.pairwise([x for x in part if x * 8 // total == k])
            )


@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("put"), st.lists(st.integers(-5, 5), max_size=4)),
            st.tuples(st.just("take"), st.integers(0, 4)),
        ),
        max_size=12,
    ),
    kind=st.sampled_from(["fifo", "priority"]),
)
def test_a_queue_does_what_its_model_does(steps, kind):
    queue, model = KINDS[kind](-1), []
    for step, argument in steps:
        if step == "put":
            queue.enqueue_many(
                (argument, argument) if kind == "priority" else (np.array(argument, np.int64),)
            )
            model = sorted(model + argument) if kind == "priority" else model + argument
        elif argument <= len(model):
            taken = queue.dequeue_many(argument)
            assert np.asarray(taken[1] if kind == "priority" else taken).tolist() == model[:argument]
            model = model[argument:]
    queue.close()
    assert int(queue.size()) == len(model)
    if model:
        rest = queue.dequeue_up_to(100)
        assert np.asarray(rest[1] if kind == "priority" else rest).tolist() == model
    with pytest.raises(tf.errors.OutOfRangeError):
        queue.dequeue()


def test_a_function_chooses_among_queues_by_a_tensor():
    first, second = _full(2), _full(3)
    size = tf.function(lambda i: tf.queue.QueueBase.from_list(i, [first, second]).size(), autograph=False)
    assert [int(size(tf.constant(i))) for i in (0, 1)] == [2, 3]
    with pytest.raises(tf.errors.InvalidArgumentError):
        size(tf.constant(2))
