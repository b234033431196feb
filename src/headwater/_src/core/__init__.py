"""Tensors, operation records, the dispatch switch and the graph that tracing fills."""
