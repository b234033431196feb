"""Variables: the tensors that training may change, whole or in parts.

A variable changes only through its methods (`assign` and its relatives); what was read from it earlier stays
as it was.
"""

import headwater as tf


def main() -> None:
    gates = tf.Variable([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], name="gates")
    print(gates)

    # The whole of it.
    gates.assign(2 * gates)
    print("doubled:", gates.numpy().tolist())
    gates.assign_add(tf.ones([2, 3]))
    gates.assign_sub([[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]])
    print("after add and sub:", gates.numpy().tolist())

    # Parts of it: an element, a column, a strided piece, chosen places.
    gates[0, 1].assign(42.0)
    after_column = gates[:, 2].assign([0.0, 1.0])
    print("element and column:", gates.numpy().tolist())
    print("a slice's assign returns the variable:", after_column.shape == gates.shape)
    gates[1, ::2].assign([-9.0, -7.0])
    print("strided:", gates.numpy().tolist())
    gates.scatter_nd_update(indices=[[0, 0], [1, 1]], updates=[100.0, 200.0])
    print("scattered:", gates.numpy().tolist())

    # A value that was read is a snapshot.
    before = gates.read_value()
    gates.assign(tf.zeros_like(gates))
    print("snapshot's corner:", float(before[0, 0]), "variable's corner:", float(gates[0, 0]))

    # What is refused leaves the variable as it was.
    try:
        gates[0, 0] = 1.0
    except TypeError:
        print("item assignment: TypeError")
    try:
        gates.assign([1.0, 2.0])
    except ValueError:
        print("wrong shape: ValueError, sum still", float(tf.reduce_sum(gates)))

    # A variable takes part in computations as a tensor does; a counter need not be trained.
    steps = tf.Variable(0, trainable=False, dtype=tf.int64)
    for _ in range(3):
        steps.assign_add(1)
    print("steps:", int(steps), "dtype:", steps.dtype.name, "trainable:", steps.trainable)
    print("used as a tensor:", tf.reduce_sum(gates + 1.0).numpy())


if __name__ == "__main__":
    main()
