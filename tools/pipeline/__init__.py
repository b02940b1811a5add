"""The command `pipeline`: run the stack on an embedded AWS, send records, and operate what is deployed."""

__version__ = "1.0.0"
