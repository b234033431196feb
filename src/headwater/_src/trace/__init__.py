"""From Python functions to graphs, and the switches and scopes around them."""
