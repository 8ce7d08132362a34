"""The lines of the live view: the data, the phase, the leading climb, the table of a sweep."""

from __future__ import annotations

from io import StringIO
from itertools import pairwise
from math import isfinite, log10

from rich.console import Console
from rich.text import Text

from em_cli.display.grid import grid
from em_cli.display.progress import Progress
from em_cli.display.text import counted, duration, nats, objective
from em_cli.engine.events import SPLIT_AND_MERGE
from em_cli.engine.stopping import remaining
from em_cli.printable import safe

BARS = "▁▂▃▄▅▆▇█"
LOWEST, HIGHEST = 1e-4, 1e2  # gains, in nats, of the lowest and the highest bar
LONGEST_BAR = 30
LONGEST_PHASE = len(SPLIT_AND_MERGE)
Parts = list[tuple[str, str]]  # text and style


class Frame:
    """Fields keep their places: a width once reached is kept, and what does not fit is left out whole."""

    def __init__(self, progress: Progress, *, sweep: bool, colored: bool) -> None:
        self.progress, self.sweep = progress, sweep
        self.file = StringIO()
        self.console = Console(
            file=self.file,
            width=1000,
            force_terminal=colored,
            color_system="standard" if colored else None,
            no_color=not colored,
            legacy_windows=False,
        )
        self.widths: dict[str, int] = {}

    def lines(self, columns: int, most: int) -> list[tuple[str, int]]:
        """At most so many lines, ready to be written, each with the cells it takes."""
        texts = [self._data(), self._phase(columns), self._climb(columns)] if self.progress.data else []
        texts = texts or [self._phase(columns)]
        if self.sweep and most > len(texts) + 2:
            texts += grid(self.progress.models(), most - len(texts), columns, sample_of(self.progress))
        return [self._line(text, columns) for text in texts[:most]]

    def _line(self, text: Text, columns: int) -> tuple[str, int]:
        text.truncate(columns, overflow="ellipsis")
        self.file.seek(0)
        self.file.truncate()
        self.console.print(text, end="", soft_wrap=True)
        return self.file.getvalue(), text.cell_len

    def _data(self) -> Text:
        data = self.progress.data
        assert data is not None, "the data have been read"
        size = f"{counted(data.n_rows, 'row')} × {counted(data.n_columns, 'column')}"
        dropped = f", {data.n_dropped:,} rows left out" if data.n_dropped else ""
        size += f" (searching{sample_of(self.progress)})" if self.progress.phase.sampled else ""
        names = ", ".join(safe(name) for name in data.columns[:50])
        names = f"({names}{', …' if len(data.columns) > 50 else ''})"
        return Text.assemble(" ", (safe(data.source), "bold"), f"   {size}{dropped}   ", (names, "dim"))

    def _phase(self, columns: int) -> Text:
        progress, share = self.progress, self.progress.share()
        count, left = progress.count(), progress.left()
        read = progress.rows_read()
        told = f"{count[0]}/{count[1]}" if count else f"{read[0]:,} rows, {read[1]:,.0f}/s" if read else ""
        fields: list[Parts] = [
            [(f" {safe(progress.phase.name)[:LONGEST_PHASE]:<{LONGEST_PHASE}}", "bold")],
            [("", "")],  # the place of the bar
            [(self._steady("count", told, 2 * len(str(count[1])) + 1 if count else 0), "")],
            self._best(),
            [(duration(progress.elapsed), "")],
            [
                ("left " if share is not None or left is not None else "     ", "dim"),
                (f"{_left(left) if share is not None or left is not None else '':<9}", ""),
            ],
        ]
        room = columns - _cells(fields)
        if room < 6:
            fields.pop()
            room = columns - _cells(fields)
        width = min(room, LONGEST_BAR)
        if width >= 3:
            full = int(width * share) if share is not None else 0
            fields[1] = [(" " * width, "")] if share is None else [("━" * full, "cyan"), ("─" * (width - full), "dim")]
        return _joined(fields)

    def _best(self) -> Parts:
        """The BIC so far, or the log-likelihood where it is not known; the table of a sweep tells both."""
        leading, best = self.progress.leading(), self.progress.best()
        if self.sweep or not isfinite(best):
            return []
        name, value = ("best", best) if leading is None else ("BIC", leading.bic)
        return [(f"{name} ", "dim"), (self._steady("best", nats(value)), "bold green")]

    def _climb(self, columns: int) -> Text:
        event = self.progress.leader()
        if event is None:
            return Text("")
        trace, rate = self.progress.trace(event.candidate), self.progress.rate()
        gains = [later - earlier for earlier, later in pairwise(trace)]
        gain, to_go = (gains[-1] if gains else float("inf")), remaining(trace)
        model = f"{safe(event.label)} k={event.n_components} ".lstrip() if self.sweep else ""
        speed = "" if rate is None else f"{rate:.0f}/s" if rate >= 9.95 else f"{rate:.1f}/s"
        speed = f"{1 / rate:.1f} s each" if rate is not None and rate < 0.95 else speed
        fields: list[Parts] = [
            [(" " + self._steady("start", f"{model}start {event.candidate + 1}", left=True), "")],
            [("iter ", "dim"), (self._steady("iter", str(event.iteration), 3), "")],
            [(f"{objective(event.label, event.of)} ", "dim"), (self._steady("loglik", nats(event.log_likelihood)), "")],
            [("Δ ", "dim"), (f"{_short(gain):<7}", "")],
            [("to go ", "dim"), (f"{_short(to_go):<7}", "")],
            [(f"{speed:>6}", "dim")],
            [("", "")],  # the place of the sparkline
        ]
        room = columns - _cells(fields)
        if room < 5:  # without a word, then without a field
            fields[2] = fields[2][1:]
            room = columns - _cells(fields)
        while room < 5 and len(fields) > 4:
            fields.pop(-2)
            room = columns - _cells(fields)
        if room >= 5:
            fields[-1] = [(sparkline(gains[-min(room, 24) :]), "cyan")]
        return _joined(fields)

    def _steady(self, name: str, text: str, least: int = 0, *, left: bool = False) -> str:
        """The text at the greatest width that this field has had."""
        width = self.widths[name] = max(self.widths.get(name, least), least, len(text))
        return text.ljust(width) if left else text.rjust(width)


def sample_of(progress: Progress) -> str:
    """On which rows the search stands, if not on all."""
    return f" on a sample of {progress.phase.n_rows:,} rows" if progress.phase.sampled else ""


def sparkline(gains: list[float]) -> str:
    """A bar for the logarithm of each gain, on a scale that stays."""
    steps = (len(BARS) - 1) / log10(HIGHEST / LOWEST)
    heights = (log10(min(max(gain, LOWEST), HIGHEST) / LOWEST) * steps for gain in gains)
    return "".join(BARS[round(height)] for height in heights)


def _left(seconds: float | None) -> str:
    return "—" if seconds is None else f"≈ {duration(seconds)}"


def _short(value: float) -> str:
    return f"{value:.1e}" if isfinite(value) else "—"


def _cells(fields: list[Parts]) -> int:
    """What the fields take, with the gaps between them."""
    return sum(len(text) for field in fields for text, _ in field) + 2 * sum(bool(field) for field in fields)


def _joined(fields: list[Parts]) -> Text:
    line = Text()
    for field in fields:
        if field:
            line.append("  " if line else "")
            for text, style in field:
                line.append(text, style)
    return line
