"""A simulation of the deployed stack under AWS's documented limits, at up to a million records a second."""
