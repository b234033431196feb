"""The operations by family, each defined once. Importing this package fills the registry and gives tensors their operators."""
