"""A run as it is watched: the display, what it warns of, how long its phases take."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from io import TextIOWrapper
from pathlib import Path

from em_cli.display import open_display
from em_cli.display.jsonl import LEVELS
from em_cli.documents.found import FoundFields, WarningFields
from em_cli.engine.events import FitEvent, Iterated, Observer, PassDone, PhaseStarted, Warned
from em_cli.errors import OutputError, UsageError, in_words
from em_cli.outputs.folder import is_stream
from em_cli.printable import safe, say
from em_cli.registry import did_you_mean
from em_cli.runs.request import Request

DOUBTFUL = frozenset(
    {
        "not_converged",
        "reached_once",
        "degenerate_set_aside",
        "few_rows",
        "weak_prior",
        "time_limit",
        "interrupted",
        "edge_of_range",
        "no_choice",
        "not_identified",
        "match_unclear",
        "match_gone",
    }
)  # warnings by which --strict makes the status 6


def doubts_in(document: FoundFields) -> list[WarningFields]:
    """The warnings of a document that make every result doubtful, each code once."""
    return list({one["code"]: one for one in document["warnings"] if one["code"] in DOUBTFUL}.values())


@dataclass(slots=True)
class Record:
    """What happens in a run that its files and its exit status speak of."""

    observe: Observer
    warnings: list[WarningFields] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    at_times: set[str] = field(default_factory=set)  # codes that make this result doubtful, and not every one
    better: str = ""  # options with which the run is better made again
    said: Iterable[str] = ()  # the result, for standard output
    stood: dict[int, list[float]] = field(
        default_factory=dict
    )  # CPU seconds at the iterates of climbs, by their numbers

    def warn(self, code: str, message: str, *, doubtful: bool = False) -> None:
        """Some warnings make a result `doubtful` only at times; those of DOUBTFUL always do."""
        self.warnings.append({"code": code, "message": message})
        self.at_times |= {code} if doubtful else set()
        self.observe(Warned(code, message))

    @contextmanager
    def clocked(self) -> Iterator[Observer]:
        """Who watches a search, and remembers how much CPU time it had taken at each iterate."""
        begun, taken = time.process_time(), None
        self.stood.clear()

        def observe(event: FitEvent) -> None:
            nonlocal taken
            if isinstance(event, Iterated):
                taken = time.process_time() - begun if taken is None else taken
                before = self.stood.setdefault(event.candidate, [])
                del before[event.iteration - 1 :]  # where a climb goes on it stands once more
                before.append(taken)
            elif isinstance(event, PassDone):  # whose iterates stand at one time
                taken = None
            self.observe(event)

        yield observe

    @property
    def doubts(self) -> list[WarningFields]:
        """The warnings that --strict counts, each code once."""
        return list({one["code"]: one for one in self.warnings if one.get("code") in DOUBTFUL | self.at_times}.values())

    @contextmanager
    def timed(self, phase: str, shown: bool = True) -> Iterator[None]:
        """A phase, `shown` unless it tells of parts of its own; and how long it took, with others of the name."""
        if shown:
            self.observe(PhaseStarted(phase, 0))
        begun = time.perf_counter()
        yield
        self.seconds[phase] = self.seconds.get(phase, 0.0) + time.perf_counter() - begun


def tell_doubts(record: Record, messages: bool) -> None:
    """Say which warnings make the status 6; what they say too, where they have not been shown."""
    with suppress(OSError):
        codes = ", ".join(one["code"] for one in record.doubts)
        say(f"status 6 (--strict): {codes}. See em guide warnings.")
        for one in record.doubts if messages else ():
            say(f"{one['code']}: {safe(one['message'])}", "    ")


@contextmanager
def watched(request: Request) -> Iterator[Observer]:
    """The display, and the file of events if one is asked for, as one observer."""
    command, screen, events = request.command, request.screen, request.report.events
    left_out = events_left_out(request)
    with ExitStack() as stack:
        display = stack.enter_context(
            open_display(
                screen.progress,
                command=command,
                quiet=screen.quiet,
                verbose=screen.verbose,
                color=screen.color,
                stream=sys.stderr,
            )
        )
        if not events:
            yield display
            return
        try:
            raw = stack.enter_context(Path(events).open("ab" if is_stream(events) else "wb", buffering=0))
        except OSError as error:
            raise OutputError(f"{events} cannot be written: {in_words(error)}.") from None
        file = TextIOWrapper(raw, "utf-8", "backslashreplace", "\n", write_through=True)
        log = stack.enter_context(
            open_display("jsonl", command=command, quiet=False, verbose=False, color="never", stream=file)
        )

        def both(event: FitEvent) -> None:
            display(event)
            if not isinstance(event, left_out):
                log(event)

        yield both


def events_left_out(request: Request) -> tuple[type, ...]:
    """The events that the file of events does not tell; `UsageError` if that makes no sense."""
    level = request.report.events_level
    if level is None:
        return ()
    if not request.report.events:
        raise UsageError("--events-level says how much --events FILE tells, and there is none.")
    if level not in LEVELS:
        raise UsageError(f"unknown --events-level {level!r}{did_you_mean(level, list(LEVELS))}")
    return LEVELS[level]
