"""Submitting records: the lines of an input, which of them were accepted, and which were not."""
