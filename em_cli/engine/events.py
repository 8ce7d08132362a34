"""What a fit tells whoever watches: plain numbers, no rendering."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from em_cli.engine.objectives import LOG_LIKELIHOOD

OF_PHASES = (
    "reading, examining, storing, summarizing, starts, refining, crossover, split and merge, finishing, scoring, "
    "other families, cross-validation, standard errors, writing"
)
OF = "what its value is of: log_likelihood, penalised_log_likelihood where there is a prior, or elbo"

# the phases of a run before its search, in files of more than one piece
EXAMINING = "examining"  # the columns: their types, copies and sums of others, rows that lack cells
STORING = "storing"  # the rows that are fitted, in blocks
SUMMARIZING = "summarizing"  # the rows: moments, extremes, distinct values, equal rows, a sample

# the phases of a search
STARTS = "starts"  # short runs from a population of starts, of which the best go on
REFINING = "refining"  # by what neighbouring models have found
CROSSOVER = "crossover"  # of the best that were found
SPLIT_AND_MERGE = "split and merge"  # searches by moves of components, and the climbs that they end in
FINISHING = "finishing"  # climbs to the end on all rows, and all those that were asked for by their number


@dataclass(frozen=True, slots=True)
class DataRead:
    """The data are in memory."""

    source: Annotated[str, "names of the files"]
    n_rows: Annotated[int, "that were read"]
    n_columns: Annotated[int, "that are fitted"]
    columns: Annotated[tuple[str, ...], "their names"]
    n_dropped: Annotated[int, "rows left out"]


@dataclass(frozen=True, slots=True)
class RowsRead:
    """More of the data have been read, or of their rows stored or summarized."""

    n_rows: Annotated[int, "so far"]
    share: Annotated[float, "of all bytes, or rows; null where nobody knows how many there are"]


@dataclass(frozen=True, slots=True)
class PhaseStarted:
    """A phase of a run: reading, those of its search, scoring, writing."""

    name: Annotated[str, OF_PHASES]
    n_candidates: Annotated[int, "that climb in it; 0 if that is not known"]
    n_parts: Annotated[int, "searches, each of one model or of several that help each other; 0 if none"] = 0
    n_rows: Annotated[int, "that the climbs see: all, or those of a sample; 0 if none do"] = 0
    sampled: Annotated[bool, "whether it is a sample"] = False
    begins: Annotated[float, "share of the work of all searches that is expected to be done before"] = 0.0
    ends: Annotated[float, "the same after it; 0 if that is not known"] = 0.0


@dataclass(frozen=True, slots=True)
class Advanced:
    """A part of a phase has come so far."""

    part: Annotated[int, "its number, from 0"]
    done: Annotated[float, "share of its work"]


@dataclass(frozen=True, slots=True)
class Improved:
    """A model has a better fit than before, that has not collapsed."""

    label: Annotated[str, "of the model: its covariance structure"]
    n_components: Annotated[int, "K"]
    log_likelihood: Annotated[float, "total, of the rows that are seen"]
    bic: Annotated[float, "of these rows"]
    n_rows: Annotated[int, "that are seen: all, or those of a sample"]


@dataclass(frozen=True, slots=True)
class Iterated:
    """One iterate of one climb: the log-likelihood of its current parameters."""

    candidate: Annotated[int, "number of the climb, from 0"]
    label: Annotated[str, "of the model: its covariance structure"]
    n_components: Annotated[int, "K"]
    iteration: Annotated[int, "from 1"]
    log_likelihood: Annotated[float, "total, natural logarithm"]
    of: Annotated[str, OF] = LOG_LIKELIHOOD


@dataclass(frozen=True, slots=True)
class PassDone:
    """One pass over the data has served all candidates that are still climbing."""

    n_climbing: Annotated[int, "that still climb"]
    n_candidates: Annotated[int, "that it served"]


@dataclass(frozen=True, slots=True)
class Finished:
    """One climb has ended."""

    candidate: Annotated[int, "number of the climb, from 0"]
    label: Annotated[str, "of the model: its covariance structure"]
    n_components: Annotated[int, "K"]
    iterations: Annotated[int, "of the climb"]
    log_likelihood: Annotated[float, "total; null where it broke down"]
    status: Annotated[str, "converged, max_iterations, degenerate or interrupted"]
    remaining: Annotated[float, "nats that more iterations would gain; null if unknown"]
    of: Annotated[str, OF] = LOG_LIKELIHOOD


@dataclass(frozen=True, slots=True)
class ModelChosen:
    """A model has its best fit."""

    label: Annotated[str, "of the model: its covariance structure, or its family"]
    n_components: Annotated[int, "K"]
    log_likelihood: Annotated[float, "total; null if no start gave a fit"]
    criteria: Annotated[tuple[tuple[str, float], ...], "values by name, the lower the better"]
    note: Annotated[str, "what else is to be said"]


@dataclass(frozen=True, slots=True)
class Warned:
    """Something is doubtful."""

    code: Annotated[str, "explained in em guide warnings"]
    message: Annotated[str, "the same in words"]


@dataclass(frozen=True, slots=True)
class Ended:
    """The run is over."""

    completed: Annotated[bool, "whether it came to its end, with a result or an early one"]


FitEvent = (
    DataRead | RowsRead | PhaseStarted | Advanced | Improved | Iterated | PassDone | Finished | ModelChosen | Warned
)
Observer = Callable[[FitEvent], None]


def name_of(kind: type) -> str:
    """What an event of this kind is called in a file: data_read, …"""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


def ignore(event: FitEvent) -> None:
    """The observer of those who do not watch."""
