"""Single files that a command writes: each is complete or absent, and none of what is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from em_cli.outputs.folder import Content, write_file, write_together
from em_cli.outputs.packing import packed
from em_cli.runs.path_checks import check_free, check_places


def target(out: str | None, force: bool, *inputs: str, kind: str = "") -> Callable[[Content], None]:
    """Where lines go: standard output, each piece at once, or a file that is complete or absent, and no input.

    Its name must end so, if it is of a `kind`.
    """
    check_places(inputs, {"--out": out})
    check_free("--out", out, force, kind)
    return lambda lines: write_file(out or "-", packed(out or "-", lines))


def write_each(texts: Mapping[str | None, Content], force: bool, *inputs: str) -> None:
    """The same of several texts, of which each has a file of its own: all of them are written, or none."""
    for out in texts:
        check_places(inputs, {"--out": out})
        check_free("--out", out, force)
    if len(texts) == 1:
        ((out, lines),) = texts.items()
        write_file(out or "-", packed(out or "-", lines))
    else:
        write_together({str(out): packed(str(out), lines) for out, lines in texts.items()})
