"""`tf.data`: a data set is an expression, a tree of nodes, and iterating it runs the tree."""
