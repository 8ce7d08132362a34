"""What a run makes, whatever it fits: mixtures, topics or haplotypes, one of them or several of which one is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from em_cli.runs.deliver import Delivery
from em_cli.runs.run import Run
from em_cli.search.ledger import Fitted

if TYPE_CHECKING:
    from em_cli.runs.mixture_sweep import Tester


class Chosen(Protocol):
    """The fit that a run writes."""

    @property
    def run(self) -> Run:
        """That which writes it: in a sweep each model may take columns for something else."""
        ...

    def warn(self) -> None:
        """Say what is doubtful about it."""
        ...

    def delivery(self) -> Delivery:
        """What is written of it, with all that there is to warn of."""
        ...


class Fitting(Protocol):
    """What a run fits to its data; made of data that it cannot be fitted to, it is a `DataError`."""

    def plan(self) -> str:
        """What would be done, for `--dry-run`."""
        ...

    def search(self) -> list[Fitted]:
        """The fit of every model."""
        ...

    def chosen(self, fits: Sequence[Fitted]) -> Chosen | None:
        """The one to write, in the user's units; None if no model has a fit."""
        ...


def fitting_of(run: Run, test: Tester | None = None) -> Fitting:
    """What is wanted of a run; a sweep of mixtures may `test` whether each component is more than chance."""
    compares, config = run.settings.request.compares, run.settings.config
    if run.data.documents is not None:
        from em_cli.runs.topic_runs import Topics
        from em_cli.runs.topic_sweep import TopicSweep

        topics = Topics.of(run)
        return TopicSweep(topics) if compares else topics
    from em_cli.models.haplotypes import wanted_pairs

    if wanted_pairs(config):
        from em_cli.runs.haplotype_runs import HaplotypePairs

        return HaplotypePairs.of(run)
    from em_cli.runs.mixture_fit import MixtureFit
    from em_cli.runs.mixture_runs import Mixtures
    from em_cli.runs.mixture_sweep import MixtureSweep

    mixtures = Mixtures.of(run)
    return MixtureSweep(mixtures, test) if compares else MixtureFit(mixtures)


def make(run: Run, fitting: Fitting) -> None:
    """Search, choose, say what is doubtful, write, and say the result."""
    if run.only_planned:
        run.say([fitting.plan()])
        return
    fits = fitting.search()
    chosen = fitting.chosen(fits)
    if chosen is None:
        run.give_up(fits[0])
    chosen.warn()
    delivery = chosen.delivery()
    written = chosen.run.write(delivery, fits)
    run.say(delivery.text(written))
