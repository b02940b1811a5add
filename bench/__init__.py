"""Measure the project beside what people would use instead, in one interleaved run: `python -m bench`."""
