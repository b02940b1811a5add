"""The files that generate.py writes: the template as YAML, the picture, and the check of data."""
