"""The terminal on which results are said: its width, and whether it takes colours."""

from __future__ import annotations

import os
import shutil
import sys

from em_cli.options import ScreenOptions


def color_wanted(screen: ScreenOptions) -> bool:
    """Whether the summary on stdout may be coloured."""
    if screen.color == "auto":
        return sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    return screen.color == "always"


def width() -> int:
    """Columns of the summary on stdout."""
    return max(60, min(shutil.get_terminal_size((80, 24)).columns, 120))
