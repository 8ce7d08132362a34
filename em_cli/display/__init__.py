"""What a run shows of itself while it lasts: nothing, plain lines, JSON lines, or a live view."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from typing import TextIO

from em_cli.engine.events import Observer, ignore
from em_cli.errors import UsageError
from em_cli.registry import did_you_mean

MODES = ("auto", "live", "plain", "jsonl", "none")
COLORS = DRAWN = ("auto", "always", "never")


def open_display(
    mode: str, *, command: str, quiet: bool, verbose: bool, color: str, stream: TextIO | None
) -> AbstractContextManager[Observer]:
    """The display of a run of `command` on a stream (None if it is closed): in its context, an observer of the run."""
    check_screen(mode, quiet, verbose, color)
    if quiet or mode == "none" or stream is None:
        return nullcontext(ignore)
    if mode == "jsonl":
        from em_cli.display.jsonl import JsonLines

        return JsonLines(stream)
    if (mode == "live" or (mode == "auto" and not _in_ci())) and _can_redraw(stream):
        from em_cli.display.live import Live

        colored = color == "always" or (color == "auto" and not os.environ.get("NO_COLOR"))
        return Live(stream, sweep=command == "select", colored=colored)
    from em_cli.display.plain import Plain

    return Plain(stream, sweep=command == "select", verbose=verbose)


def check_screen(mode: str, quiet: bool, verbose: bool, color: str) -> None:
    """`UsageError` if there is no such display."""
    _check("progress", mode, MODES)
    _check("color", color, COLORS)
    if quiet and verbose:
        raise UsageError("--quiet and --verbose contradict each other.")


def can_draw(wanted: str, stream: TextIO) -> bool:
    """Whether to draw with characters: always, never, or where a person sees them."""
    _check("draw", wanted, DRAWN)
    return wanted == "always" or (wanted == "auto" and _can_redraw(stream))


def _can_redraw(stream: TextIO) -> bool:
    """Whether the stream is a terminal that can move its cursor and show the signs we draw with."""
    encoding = (getattr(stream, "encoding", None) or "").lower().replace("-", "").replace("_", "")
    return stream.isatty() and os.environ.get("TERM") != "dumb" and encoding.startswith("utf")


def _in_ci() -> bool:
    return os.environ.get("CI", "").lower() not in ("", "0", "false")


def _check(option: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise UsageError(f"unknown --{option} {value!r}{did_you_mean(value, known)}")
