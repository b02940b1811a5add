"""What generate.py writes from a project: the template as YAML, the picture, and the check of data."""
