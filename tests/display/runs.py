"""What a display is told in the course of a run."""

from __future__ import annotations

from collections.abc import Iterator

from em_cli.engine.events import (
    FINISHING,
    STARTS,
    DataRead,
    Finished,
    FitEvent,
    Improved,
    Iterated,
    ModelChosen,
    PassDone,
    PhaseStarted,
    Warned,
)

FAITHFUL = DataRead("faithful.csv", 272, 2, ("eruptions", "waiting"), 0)
NASTY = "\x1b[31m[bold]red[/bold]\n名前"


def fit_events(starts: int = 5, iterations: int = 12) -> Iterator[FitEvent]:
    yield PhaseStarted("reading", 1)
    yield FAITHFUL
    yield PhaseStarted(STARTS, 0)
    for phase, begins in ((STARTS, 0.0), (FINISHING, 0.5)):
        yield PhaseStarted(phase, starts, 0, 272, False, begins, begins + 0.5)
        yield from climbs([("full", 2)] * starts, iterations)
        yield Improved("full", 2, -1130.264, 2322.192, 272)


def climbs(models: list[tuple[str, int]], iterations: int) -> Iterator[FitEvent]:
    """Climbs side by side, of which the first ends first."""
    for iteration in range(1, iterations + len(models)):
        for candidate, (label, k) in enumerate(models):
            last = iterations + candidate
            height = -1130.264 - 10 * 0.5**iteration - candidate / 1000
            if iteration <= last:
                yield Iterated(candidate, label, k, iteration, height)
            if iteration == last:
                yield Finished(candidate, label, k, iteration, height, "converged", 0.0001)
        yield PassDone(len(models), len(models))


def select_events(labels: tuple[str, ...] = ("full", "tied"), ks: range = range(1, 6)) -> Iterator[FitEvent]:
    models = [(label, k) for label in labels for k in ks for _ in range(2)]
    yield PhaseStarted("reading", 1)
    yield FAITHFUL
    for phase in (STARTS, FINISHING):
        yield PhaseStarted(phase, len(models))
        yield from climbs(models, 5)
    for label in labels:
        for k in ks:
            bic = 2322.19 + abs(k - 3) + len(label)
            yield ModelChosen(label, k, -1130.264 + k, (("bic", bic), ("aic", bic - 9), ("icl", bic + 1)), "")
    yield Warned("edge_of_range", "the choice is at the edge\nof the range \x1b[31m")
