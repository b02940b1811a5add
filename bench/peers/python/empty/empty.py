"""The floor of every cold start: a handler that does nothing."""


def handler(event: object, context: object) -> dict[str, object]:
    """Answer at once."""
    return {}
