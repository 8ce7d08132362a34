"""Text for the end of a run: lines and tables of a given width, coloured or not."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from io import StringIO
from typing import Literal

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from em_cli.printable import safe, words

ARGUMENT = r"(?:[^\s'\"]|'[^']*'|\"[^\"]*\")+"
OPTION = re.compile(rf"--?\w\S* (?!-\w|--){ARGUMENT}|{ARGUMENT}")  # with its value, or an argument


class Page:
    """Collects lines; nothing that comes from data is ever read as markup, or acts on the terminal."""

    def __init__(self, width: int, color: bool) -> None:
        self.width = max(width, 20)
        self.file = StringIO()
        self.console = Console(
            file=self.file,
            width=self.width,
            force_terminal=color,
            color_system=_colors() if color else None,
            no_color=not color,
            legacy_windows=False,
        )

    def line(self, *parts: str | tuple[str, str]) -> None:
        """One line, cut where the page ends."""
        text = _assembled(parts)
        text.truncate(self.width, overflow="ellipsis")
        self._print(text)

    def command(self, begin: str, command: str) -> None:
        r"""A line for the shell; where the page ends it goes on behind a `\`, so that it can be copied."""
        first, *others = OPTION.findall(safe(command))
        lines = [first]
        for part in others:
            if len(begin) + cell_len(f"{lines[-1]} {part} \\") > self.width:
                lines[-1] += " \\"
                lines.append(f"    {part}")
            else:
                lines[-1] += f" {part}"
        self._print(_assembled(((begin, "dim"), lines[0])))
        for line in lines[1:]:
            self._print(Text(" " * len(begin) + line))

    def flow(
        self, parts: Iterable[str], gap: str = "   ", indent: str = " ", hanging: int | None = None, style: str = ""
    ) -> None:
        """Parts one after the other, on as many lines as they need."""
        begin, line = indent, ""
        for part in map(safe, parts):
            joined = line + gap + part if line else begin + part
            if line and cell_len(joined) > self.width:
                self._print(Text(line, style))
                begin = " " * (len(indent) if hanging is None else hanging)
                joined = begin + part
            line = joined
        if line:
            self._print(Text(line, style))

    def words(self, text: str, indent: str = " ", style: str = "") -> None:
        """A sentence, folded between words but neither in quotes nor around an equals sign."""
        self.flow(words(text), " ", indent, style=style)

    def hanging(self, text: str, begin: str) -> None:
        """A sentence after a heading; its further lines stand below its first word."""
        self.flow(words(text), " ", begin, hanging=len(begin))

    def table(
        self, headings: Sequence[str], rows: Sequence[Sequence[str]], right: Iterable[int], styles: Sequence[str] = ()
    ) -> list[int]:
        """Columns with two blanks between them, those listed in `right` ending together; each row has its style.

        The rows that had to be cut where the page ends are returned, by their places.
        """
        ends = set(right)
        widths = [max(map(cell_len, column)) for column in zip(headings, *rows, strict=True)]
        cut = []
        every = zip((headings, *rows), ("bold", *(styles or [""] * len(rows))), strict=True)
        for number, (row, style) in enumerate(every):
            blanks = [" " * (width - cell_len(cell)) for width, cell in zip(widths, row, strict=True)]
            cells = [
                blank + cell if place in ends else cell + blank
                for place, (blank, cell) in enumerate(zip(blanks, row, strict=True))
            ]
            text = " " + "  ".join(cells).rstrip()
            self.line((text, style))
            if number and cell_len(text) > self.width:
                cut.append(number - 1)
        return cut

    def blank(self) -> None:
        self.file.write("\n")

    def text(self) -> str:
        """Everything, without blanks at the ends of lines or an empty line at its end."""
        return "\n".join(line.rstrip() for line in self.file.getvalue().rstrip().split("\n")) + "\n"

    def _print(self, text: Text) -> None:
        self.console.print(text, soft_wrap=True)


def _assembled(parts: Iterable[str | tuple[str, str]]) -> Text:
    return Text.assemble(*(safe(p) if isinstance(p, str) else (safe(p[0]), p[1]) for p in parts))


def _colors() -> Literal["truecolor", "256", "standard"]:
    """How many colours the terminal says that it has."""
    if os.environ.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return "truecolor"
    return "256" if "256color" in os.environ.get("TERM", "") else "standard"
