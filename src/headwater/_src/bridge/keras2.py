def apply(keras): pass
