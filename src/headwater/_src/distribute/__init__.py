"""`tf.distribute`: the default strategy, one replica on one device."""
