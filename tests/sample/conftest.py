"""What the tests of the sample take from those of the mechanism: the fake endpoint of the handlers."""

from ..functions.conftest import context, dynamodb, endpoint, envelope, environment, processor, queue, serving

__all__ = ["context", "dynamodb", "endpoint", "envelope", "environment", "processor", "queue", "serving"]
