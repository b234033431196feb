"""Runs, differentiates, plans and lowers operation records; names no operation."""
