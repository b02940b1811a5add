"""What comes of it: the figures, and how they are shown."""
