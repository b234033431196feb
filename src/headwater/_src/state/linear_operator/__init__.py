"""Linear operators: matrices that are known by what makes them up, and that multiply and solve faster than dense ones."""
