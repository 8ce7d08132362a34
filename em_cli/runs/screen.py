"""The terminal on which results are said: its width, and whether it takes colours."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from typing import TypeVar

from em_cli.options import ScreenOptions
from em_cli.outputs.folder import write_file
from em_cli.outputs.manifest import to_json


def color_wanted(screen: ScreenOptions) -> bool:
    """Whether the summary on stdout may be coloured."""
    if screen.color == "auto":
        return sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    return screen.color == "always"


def width() -> int:
    """Columns of the summary on stdout."""
    return max(60, min(shutil.get_terminal_size((80, 24)).columns, 120))


def page_width() -> int:
    """Columns of a page on stdout, which may be a file."""
    return width() if sys.stdout.isatty() else 80


Found = TypeVar("Found", bound=Mapping[str, object])


def say_found(
    found: Found,
    json: bool,
    page: Callable[[Found, int, bool], str],
    screen: ScreenOptions,
) -> None:
    """What a command has found, on stdout: the document, or its page, which `-q` leaves out."""
    if json:
        write_file("-", [to_json(found)])
    elif not screen.quiet:
        write_file("-", [page(found, page_width(), color_wanted(screen))])
