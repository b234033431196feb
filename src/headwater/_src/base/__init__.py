"""The lowest layer: dtypes, shapes, structures, errors and small helpers, knowing nothing of tensors."""
