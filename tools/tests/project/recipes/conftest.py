"""What the recipes' tests take from those of the mechanism: the fake endpoint of the handlers."""

from tests.functions.conftest import context, dynamodb, endpoint, envelope, environment, processor, queue, serving

__all__ = ["context", "dynamodb", "endpoint", "envelope", "environment", "processor", "queue", "serving"]
