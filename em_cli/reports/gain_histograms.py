"""Tests of the number of components: what one more gains in the data, and in data sets drawn without it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from em_cli.inference.reported import p_in_words
from em_cli.reports import words
from em_cli.reports.finished_run import FinishedRun
from em_cli.reports.kind import OfTheWhole, Picture
from em_cli.reports.style import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_TESTS = 8
FAR = 2.5  # times the largest gain drawn, beyond which that of the data is not drawn to scale
BINS = 24


@dataclass(frozen=True, slots=True)
class ComponentTests(OfTheWhole):
    needs_rows: ClassVar[bool] = False

    def refusal(self, run: FinishedRun, columns: Sequence[int]) -> str:
        return "" if _told(run) else "there are no tests: em test makes them, and em select --test."

    def picture(self, run: FinishedRun, columns: Sequence[int]) -> Picture:
        tests = _told(run)
        said = "; ".join(f"{one['k1']} against {one['k0']}: {p_in_words(one)}" for one in tests)
        caption = (
            "Twice the log-likelihood that one component more gains: grey in data sets drawn from the fit of the fewer "
            f"components, the line in the data. {said[:1].upper()}{said[1:]}."
        )
        alt = "; ".join(
            f"{one['k1']} against {one['k0']}: {one['statistic']:.1f} in the data, "
            f"{min(_gains(one)):.1f} to {max(_gains(one)):.1f} in those drawn"
            for one in tests
        )
        title = words.title_of(run, "is one component more than chance?")
        return Picture("tests", title, caption, alt, (5.4, 0.7 + 1.75 * len(tests)), partial(_draw, tests))


def _told(run: FinishedRun) -> list[Mapping[str, object]]:
    return [one for one in run.certainty.tests if one["p"] is not None and _gains(one)][:MOST_TESTS]


def _gains(one: Mapping[str, Any]) -> list[float]:
    return [float(value) for value in one["drawn"] if value is not None]


def _draw(tests: Sequence[Mapping[str, object]], figure: Figure, theme: Theme) -> None:
    for place, one in enumerate(tests, 1):
        axes = figure.add_subplot(len(tests), 1, place)
        _panel(axes, one, theme)
        if place == len(tests):
            axes.set_xlabel("twice the gain in log-likelihood")


def _panel(axes: Axes, one: Mapping[str, Any], theme: Theme) -> None:
    gains, observed = np.array(_gains(one)), float(one["statistic"])
    most = float(gains.max()) or 1.0
    beyond = observed > FAR * most
    end = (1.6 * most) if beyond else max(most, observed) * 1.06
    axes.hist(gains, bins=BINS, range=(0.0, most), color=theme.noise, alpha=0.65, edgecolor=theme.paper, linewidth=0.6)
    axes.set_xlim(0, end)
    top = axes.get_ylim()[1] * 1.05
    axes.set_ylim(0, top)
    if beyond:
        look = {"arrowstyle": "-|>", "color": theme.accent, "linewidth": 1.8, "shrinkA": 0, "shrinkB": 0}
        axes.annotate("", (end, 0.45 * top), (0.86 * end, 0.45 * top), arrowprops=look)
    else:
        axes.axvline(observed, color=theme.accent, linewidth=1.8)
    right = beyond or observed > 0.6 * end
    at = 0.985 * end if beyond else observed
    axes.annotate(
        f"data: {observed:.1f}",
        (at, (0.6 if beyond else 0.9) * top),
        (0, 0) if beyond else (-5 if right else 5, 0),
        textcoords="offset points",
        ha="right" if right else "left",
        va="center",
        color=theme.accent,
        fontsize=9,
        fontweight="bold",
    )
    axes.set_title(f"{one['k1']} against {one['k0']}: {p_in_words(one)}", loc="left")
    axes.set_ylabel("data sets")
    axes.locator_params(axis="y", nbins=4, integer=True)
