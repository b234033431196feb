"""`tf.function`: what happens while a function is traced, what happens when its graph runs, and when it is traced again.

The six rules that the notes on TensorFlow functions give, each shown by what it prints.
"""

import numpy as np

import headwater as tf


@tf.function
def cube(x: tf.Tensor) -> tf.Tensor:
    """The cube; the print shows when Python runs."""
    print("tracing with", x)
    return x**3


# 1. One graph for each dtype and shape; Python numbers are taken by value.
cube(tf.constant(2.0))
cube(tf.constant(3.0))
cube(tf.constant([1.0, 2.0]))
cube(2)
print("traces:", cube.experimental_get_tracing_count())
print("nodes:", [node.name for node in cube.get_concrete_function(tf.constant(2.0)).graph.get_operations()])


# 2. What other libraries do happens while tracing, once.
@tf.function
def two_random_numbers() -> tuple[tf.Tensor, tf.Tensor]:
    """One from NumPy, which the graph keeps, and one from TensorFlow, drawn at each call."""
    return np.random.rand(), tf.random.uniform([])


first, second = two_random_numbers(), two_random_numbers()
print(
    "NumPy's number stays:",
    bool(first[0] == second[0]),
    "- TensorFlow's changes:",
    bool(first[1] != second[1]),
)


# 3. Functions called from a traced function are part of it, decorated or not.
def half(x: tf.Tensor) -> tf.Tensor:
    """Half of an even number, three times an odd one and one more."""
    if x % 2 == 0:
        return x // 2
    return 3 * x + 1


@tf.function
def collatz(x: tf.Tensor) -> tf.Tensor:
    """How many steps lead to 1."""
    steps = 0
    while x != 1:
        x = half(x)
        steps += 1
    return steps


print("27 takes", int(collatz(tf.constant(27))), "steps, 97 takes", int(collatz(tf.constant(97))))

# 4. Variables are made outside; the function assigns to them.
counter = tf.Variable(0)


@tf.function
def count(by: tf.Tensor) -> tf.Tensor:
    """Adds to the counter."""
    return counter.assign_add(by)


count(tf.constant(2))
count(tf.constant(40))
print("counter:", int(counter))


@tf.function
def forgets() -> tf.Variable:
    """Makes a variable at each call, which is refused."""
    return tf.Variable(1.0)


try:
    forgets()
except ValueError as error:
    print("ValueError:", str(error).split(",")[0])


# 5. and 6. Loops over tensors become one loop of the graph; Python's own loops are unrolled.
@tf.function
def by_tensor(x: tf.Tensor) -> tf.Tensor:
    """Adds ten ones in a loop of the graph."""
    for _ in tf.range(10):
        x += 1
    return x


@tf.function
def by_python(x: tf.Tensor) -> tf.Tensor:
    """Adds ten ones by ten nodes."""
    for _ in range(10):
        x += 1
    return x


for function in (by_tensor, by_python):
    graph = function.get_concrete_function(tf.constant(5)).graph
    additions = sum(node.type == "AddV2" for node in graph.get_operations())
    print(int(function(tf.constant(5))), "by ten additions in the graph:", additions == 10)

# Compiled as a whole by XLA, and differentiated.
compiled = tf.function(lambda x: tf.reduce_sum(tf.sin(x) ** 2), jit_compile=True)
x = tf.constant([0.0, 0.5, 1.0])
with tf.GradientTape() as tape:
    tape.watch(x)
    y = compiled(x)
print("gradient is sin 2x:", np.allclose(tape.gradient(y, x), np.sin(2 * x.numpy()), atol=1e-6))
