"""One run of `em fit` or `em select`, from what was asked for to its folder."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from typing import NoReturn

from em_cli.documents.manifest_json import Manifest
from em_cli.engine.protocols import Runner
from em_cli.errors import ExitStatus, NoFit
from em_cli.outputs.checkpoint_file import CheckpointFile
from em_cli.outputs.folder import write_file
from em_cli.outputs.manifest import manifest, to_json
from em_cli.outputs.run_folder import RunFolder
from em_cli.printable import say
from em_cli.runs import warnings
from em_cli.runs.configure import Settings, configured
from em_cli.runs.deliver import Delivery, run_files
from em_cli.runs.interruption import Halt, interruptible
from em_cli.runs.manifest_facts import Ended, facts
from em_cli.runs.read import read_data, reading_of_run
from em_cli.runs.record import Record, tell_doubts, watched
from em_cli.runs.request import Request
from em_cli.runs.request_checks import check_run
from em_cli.runs.resume import checkpoint_of, is_done, is_there, result_again, run_folder, warnings_again
from em_cli.runs.search_plan import check_reach, deadline_of, plan_of, runner_of, store_of
from em_cli.runs.stream_state import awaited_of
from em_cli.search.ledger import Fitted
from em_cli.search.search import Plan
from em_cli.sources.awaited import Awaited
from em_cli.sources.read_options import ReadOptions
from em_cli.sources.spool import Spool
from em_cli.sources.table import Data


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """A run on its way: what it is to do, what it has read, how it searches, where its results go."""

    settings: Settings
    reading: ReadOptions
    data: Data
    plan: Plan
    runner: Runner
    record: Record
    halt: Halt
    folder: RunFolder | None
    checkpoint: CheckpointFile | None
    awaited: Awaited | None = None  # hands out the rows that follow those of the data

    @property
    def only_planned(self) -> bool:
        """Whether nothing is to be fitted."""
        return self.settings.request.config.dry_run

    def warn_of_halt(self) -> None:
        """Say what ended the search early, if anything did."""
        warnings.warn_of_halt(self.halt.reason, self.settings.config, self.record, self.checkpoint is not None)

    def give_up(self, fitted: Fitted) -> NoReturn:
        """End a run that has no fit to write: interrupted before there was any, or `NoFit`."""
        interruption = self.halt.interruption
        if interruption():
            further = " The same command with --resume goes on." if self.checkpoint else ""
            with suppress(OSError):
                say(f"interrupted before there was a sound fit: no result was written.{further}")
            raise SystemExit(interruption.status)
        raise NoFit(warnings.no_fit(fitted, self.data))

    def about(self, result: Ended, params: Mapping[str, object], fits: Sequence[Fitted]) -> Manifest:
        """The manifest of the run."""
        checkpoint = self.checkpoint
        resumed_after = checkpoint.seconds if checkpoint and checkpoint.continues else None
        told = facts(self.settings, self.data, self.record, result, params, fits, resumed_after)
        return manifest(self.settings.request.command, self.record.seconds, told)

    def write(self, delivery: Delivery, fits: Sequence[Fitted]) -> list[str]:
        """Write the run folder, its document and what is said of its rows; the names of what is in the folder."""
        report, params, names = self.settings.request.report, delivery.params, list[str]()
        with self.record.timed("writing"):
            if self.folder:
                about, parts = self.about(delivery.result, params, fits), delivery.parts(self.folder)
                files = {**run_files(self.settings, params, delivery.tables, fits), **delivery.of_sweep}
                if report.plots or report.report:
                    files |= delivery.drawn(self.folder.path, files, about)
                names = self.folder.deliver({**files, **parts}, about, finished=not self.halt.reason)
            if report.params:
                write_file(report.params, [to_json(params)])
            if report.responsibilities_to:
                write_file(report.responsibilities_to, delivery.of_rows(report.responsibilities_to))
        return [*names, *delivery.elsewhere()]

    def say(self, text: Iterable[str]) -> None:
        """What is to stand on standard output when the run has ended."""
        self.record.said = text


def _to_make(request: Request) -> AbstractContextManager[Request]:
    """The run that is asked for, or that of the folder to verify."""
    if request.report.verify is None:
        return nullcontext(request)
    from em_cli.runs.verify import verified

    return verified(request, str(request.report.verify))


@contextmanager
def opened(request: Request) -> Iterator[Run | None]:
    """A run, for as long as it lasts; None if it had ended before and only its result is wanted again.

    At its end its result is said, and the program ends with the status that the run deserves.
    """
    begun = time.monotonic()
    with _to_make(request) as asked, closing(Spool()) as spool:
        settings = configured(asked)
        check_run(settings)
        check_reach(settings.config)
        reading = reading_of_run(settings.config, spool if asked.report.labelled else None)
        there = not settings.request.config.dry_run and is_there(settings)
        with (
            interruptible() as interruption,
            run_folder(settings, there) as folder,
            watched(asked) as observe,
            ExitStack() as stack,
        ):
            record = Record(observe)
            store = stack.enter_context(closing(store_of(settings.config, folder)))
            awaited = awaited_of(settings, folder)
            reading = replace(reading, store=store)
            data = None if there else read_data(settings.config, reading, record, awaited)
            if data is not None:
                check_reach(settings.config, data)
            if data is None or (folder and is_done(folder, settings, data)):
                record.said = result_again(str(settings.folder), settings, reading)
                record.warnings += warnings_again(str(settings.folder))
                yield None
            else:
                yield Run(
                    settings,
                    reading,
                    data,
                    plan_of(settings.config, settings.effort, settings.start is not None),
                    runner_of(settings.config),
                    record,
                    Halt(interruption, deadline_of(settings.config, begun)),
                    folder,
                    checkpoint_of(folder, settings, data),
                    awaited,
                )
        write_file("-", record.said)
        if interruption():
            raise SystemExit(interruption.status)
        if asked.report.strict and record.doubts:
            tell_doubts(record, asked.screen.quiet)
            raise SystemExit(ExitStatus.DOUBTFUL)
