"""When a climb ends. The unit is the nat of total log-likelihood, whatever n and the units of the data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from math import isfinite

WINDOW = 8  # iterates
BELIEVED = 1000  # a trace is, when the last gain is so many times smaller than the tolerance


class Status(Enum):
    CONVERGED = "converged"
    MAX_ITERATIONS = "max_iterations"
    DEGENERATE = "degenerate"
    INTERRUPTED = "interrupted"
    COMPLETED = "completed"  # the algorithm has made its steps, and promises nothing


NATS = "nats"
USUAL_TOLERANCES = {NATS: 0.01, "loglik": 1e-3, "relative": 1e-5, "parameters": 1e-3}  # of each rule


@dataclass(frozen=True, slots=True)
class Stopping:
    """Stop when the last iterates gained less than `tolerance` nats and as little is thought to remain.

    What remains is predicted by the algorithm, or else extrapolated from the trace; either is
    asked for a tenth. The trace is believed only when the last gain is a thousandth, for a
    slow direction shows when the fast ones are done. An algorithm that expects nothing at all is done.

    That is the rule of nats. The others are those of other programs: what the last step gained, in nats or relative
    to the log-likelihood, or how far it moved the parameters. They say how fast a climb is, not how much is left.
    """

    tolerance: float = USUAL_TOLERANCES[NATS]
    max_iterations: int = 2000  # passes over the data, tentative ones counted
    rule: str = NATS  # or loglik, relative, parameters

    def __call__(
        self,
        trace: Sequence[float],
        passes: float,
        expected_gain: float | None = None,
        moved: Callable[[], float] = lambda: float("inf"),
    ) -> Status | None:
        """The verdict on a climb, from its latest iterates and the number of all passes that led to them.

        `moved` tells how far the last step moved the parameters, in standard deviations of the columns.
        """
        if expected_gain == 0.0 or (len(trace) > 2 and self._rests(trace, expected_gain, moved)):
            return Status.CONVERGED
        return Status.MAX_ITERATIONS if passes >= self.max_iterations else None

    def _rests(self, trace: Sequence[float], expected_gain: float | None, moved: Callable[[], float]) -> bool:
        if self.rule == NATS:
            return rests_by_nats(trace, self.tolerance, expected_gain)
        gain, length = abs(trace[-1] - trace[-2]), moved()
        last = {"parameters": length, "relative": gain / abs(trace[-1])}.get(self.rule, gain)
        return isfinite(length) and last < self.tolerance


def rests_by_nats(trace: Sequence[float], tolerance: float, expected_gain: float | None = None) -> bool:
    """Whether a climb rests by the rule of nats, from its last WINDOW + 1 iterates at least, if it has as many."""
    window = trace[-1] - trace[max(0, len(trace) - 1 - WINDOW)]
    return window < tolerance and (
        expected_gain < tolerance / 10
        if expected_gain is not None
        else trace[-1] - trace[-2] < tolerance / BELIEVED and remaining(trace) < tolerance / 10
    )


def remaining(trace: Sequence[float]) -> float:
    """Nats still to gain, by the ratio of the last gains (Aitken; Böhning et al. 1994).

    The ratio is taken over half windows, where rounding weighs less than in the last two gains.
    """
    if len(trace) < 3:
        return float("inf")
    half = min(WINDOW // 2, (len(trace) - 1) // 2)
    late, early = trace[-1] - trace[-1 - half], trace[-1 - half] - trace[-1 - 2 * half]
    rounding = 1e-13 * abs(trace[-1])
    if late <= rounding:
        return 0.0
    if late >= early:
        return float("inf")
    ratio = late / early
    return late * ratio / (1 - ratio)
