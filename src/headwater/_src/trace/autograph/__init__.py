"""AutoGraph: Python's control flow becomes operations where it depends on symbolic tensors.

source    the syntax tree of a function that runs
calls     pass 1: calls, `and`, `or`, `not`, chains of comparisons, conditional expressions, `assert`
jumps     pass 2: `break`, `continue` and `return` become flags and guards
analysis  which names a block reads and writes, and which are needed later
flow      pass 3: `if`, `while` and `for` become calls of the runtime
convert   the three passes, compiled under the user's file name and positions; what is converted and what is left alone
runtime   what the rewritten code calls: plain Python for Python's values, `tf.cond` and `tf.while_loop` for symbolic ones
"""
