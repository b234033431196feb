"""Names for the expressions of queue.txt. No expression may wait for another thread."""

from __future__ import annotations

from typing import Any


def names(tf: Any) -> dict[str, Any]:
    """Queues with something in them, and a way to do several things in order."""

    def done(*steps: Any) -> Any:
        """The result of the last step; the others are for their effects."""
        result = None
        for step in steps:
            result = step()
        return result

    def act(step: Any) -> str:
        """For steps that are operations in a graph and None eagerly."""
        step()
        return "done"

    def filled(kind: Any, values: Any, *args: Any, **more: Any) -> Any:
        queue = kind(*args, **more)
        queue.enqueue_many(values)
        return queue

    def twice(queue: Any, count: int = 20) -> list[Any]:
        return [queue.dequeue() for _ in range(count)]

    F, P, R, H = (
        tf.queue.FIFOQueue, tf.queue.PaddingFIFOQueue, tf.queue.RandomShuffleQueue, tf.queue.PriorityQueue
    )  # fmt: skip
    tf.random.set_seed(7)
    padded = P(10, [tf.int32], [[None]])
    for row in ([1, 2, 3], [4], [5, 6]):
        padded.enqueue((row,))
    texts = P(10, [tf.string, tf.float32], [[None], [None, 2]])
    texts.enqueue((["a"], [[1.0, 2.0]]))
    texts.enqueue((["b", "c"], [[3.0, 4.0], [5.0, 6.0]]))
    closed = filled(F, ([1, 2, 3],), 10, [tf.int32], [[]])
    closed.close()
    return {
        "F": F, "P": P, "R": R, "H": H, "done": done, "act": act, "filled": filled, "twice": twice,
        "empty": F(3, [tf.int32], [[]]),
        "q": filled(F, ([1, 2, 3, 4, 5],), 10, [tf.int32], [[]]),
        "full": filled(F, ([1, 2, 3],), 3, [tf.int32], [[]]),
        "any": F(3, [tf.int32]),
        "one": F(3, tf.int32),
        "pair": filled(F, ([1, 2], ["a", "b"]), 10, [tf.int32, tf.string], [[], []]),
        "rows": filled(F, ([[1.0, 2.0], [3.0, 4.0]],), 10, [tf.float32], [[2]]),
        "named": filled(F, {"a": [1, 2], "b": ["x", "y"]}, 10, [tf.int32, tf.string], [[], []], ["a", "b"]),
        "single": filled(F, {"a": [1, 2]}, 10, [tf.int32], [[]], ["a"]),
        "padded": padded, "texts": texts, "closed": closed,
        "prio": filled(H, ([3, 1, 1, 2], ["c", "a", "b", "d"]), 10, [tf.string], [[]]),
        "shuffled": filled(R, (list(range(20)),), 30, 0, [tf.int32], [[]], seed=3),
        "kept": filled(R, (list(range(5)),), 30, 3, [tf.int32], [[]], seed=3),
        "by_global": filled(R, (list(range(20)),), 30, 0, [tf.int32], [[]]),
    }  # fmt: skip
