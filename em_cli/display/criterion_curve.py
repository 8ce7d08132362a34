"""A criterion against the number of components, for every covariance structure of a sweep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from statistics import median_low

from em_cli.display.text import counted
from em_cli.display.text_page import Page
from em_cli.printable import safe

LINES = 10
MARKS = "●■▲◆○□△◇"
AWAY = 4  # times the median distance from the best is as far as the scale goes
Curve = Mapping[int, float]  # values by number of components


def draw_criterion(page: Page, name: str, curves: Mapping[str, Curve], colors: Sequence[str]) -> None:
    """A point for each model, the best on the lowest line; what is far above all others stands on the uppermost."""
    best_of = {label: min(values) for label, curve in curves.items() if (values := _finite(curve))}
    if not best_of:
        return
    shown = sorted(best_of, key=lambda label: best_of[label])[: len(MARKS)]
    ks = sorted({k for curve in curves.values() for k in curve})
    best = min(best_of.values())
    reach = _reach([curves[label] for label in shown], ks, best)
    indent = 2 + max(len(f"{best + reach:.1f}"), len(f"{best:.1f}"))
    step = min(8, (page.width - indent - 2) // len(ks))
    if step < 1:
        return
    grid: dict[tuple[int, int], tuple[str, str]] = {}
    for place, label in reversed(list(enumerate(shown))):  # the best are drawn last
        for column, k in enumerate(ks):
            value = curves[label].get(k, float("inf"))
            if isfinite(value):
                height = (value - best) / reach
                line = 0 if height > 1 else LINES - 1 - round(height * (LINES - 2))
                chosen = value == best
                grid[line, column] = (MARKS[place], ("bold " if chosen else "") + colors[place])
    page.line((f" {safe(name)} against k", "bold"), (", lower is better", "dim"))
    for line in range(LINES):
        number = f"{best + reach:.1f}" if line == 1 else f"{best:.1f}" if line == LINES - 1 else ""
        number = "above" if line == 0 and any(place[0] == 0 for place in grid) else number
        signs = [grid.get((line, column), (" ", "")) for column in range(len(ks))]
        parts = [part for sign in signs for part in (sign, (" " * (step - 1), ""))]
        page.line((f"{number:>{indent - 1}} │ ", "dim"), *parts)
    page.line((" " * indent + "└" + "─" * (step * len(ks) + 1), "dim"))
    page.line((" " * (indent + 2) + "".join(f"{_label(k, step, ks):<{step}}" for k in ks), "dim"))
    if len(shown) > 1:
        entries = zip(MARKS, colors, shown, strict=False)
        page.line(*(part for mark, color, label in entries for part in ((f" {mark}", color), f" {safe(label)}  ")))
    if len(best_of) > len(shown):
        page.line((f" … {counted(len(best_of) - len(shown), 'more structure')}, all worse", "dim"))


def _reach(curves: Sequence[Curve], ks: Sequence[int], best: float) -> float:
    """How far above the best the scale goes: to the highest point, or to see apart the best of each k."""
    of_each = [
        min(_finite({place: curve[k] for place, curve in enumerate(curves) if k in curve}), default=best) for k in ks
    ]
    above = [value - best for value in of_each if value > best]
    highest = max((value - best for curve in curves for value in _finite(curve)), default=0.0)
    return min(highest, AWAY * median_low(above)) if above else highest or 1.0


def _finite(curve: Curve) -> list[float]:
    return [value for value in curve.values() if isfinite(value)]


def _label(k: int, step: int, ks: Sequence[int]) -> str:
    """The number of components, where there is room for it."""
    every = -(-(len(str(ks[-1])) + 1) // step)
    return str(k) if ks.index(k) % every == 0 else ""
