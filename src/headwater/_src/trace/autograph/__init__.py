"""AutoGraph: Python's control flow becomes operations where it depends on symbolic tensors.

api                public names
convert            the entry points for functions that trace
conversion         what is converted and what is left alone; the three passes, compiled under the user's file name and positions
source             the syntax tree of a function that runs
build              makers of syntax nodes
calls              pass 1: calls, `and`, `or`, `not`, `in`, chains of comparisons, conditional expressions
jumps              pass 2: `break`, `continue` and `return` become flags and guards
analysis           which names a block reads and writes, and which are needed later
flow               pass 3: `if`, `while`, `for` and `assert` become calls of the runtime
runtime            what the rewritten code calls: plain Python for Python's values, nodes of the graph for symbolic ones
builtin_functions  `len`, `range`, `zip` and the like; `locals`, `eval`
state              the variables of the user's function, through their cells
staged, loops      blocks as branches and as loop bodies, and what they must agree on
rows, elements     what a `for` in a graph goes over: tensors and ranges; data sets
status             whether AutoGraph is wanted where the program is now
"""
