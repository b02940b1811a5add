"""A run's output as a picture: an SVG of what a console printed, which fetches nothing."""

import re

from rich.console import Console

WIDTH = 122  # columns; a wider picture would be too small to read on a page
FONT = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def recording_console() -> Console:
    """Return a console for standard output that keeps what it prints; bars show at their end only."""
    return Console(record=True, force_terminal=False, width=WIDTH)


def picture(console: Console, title: str) -> str:
    """Draw what a recording console has printed."""
    # Rich has the font fetched from the web; a monospaced one is everywhere.
    return FONT.sub("", console.export_svg(title=title, unique_id="run"))
