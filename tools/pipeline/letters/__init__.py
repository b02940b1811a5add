"""The dead-letter queue: looking at its letters, and sending them again."""
