"""`em select` of mixtures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from em_cli.criteria import CROSS_VALIDATION
from em_cli.documents.params_json import Params, Tested
from em_cli.errors import NoFit
from em_cli.models.redrawn import as_units
from em_cli.outputs.left_out import CrossValidation
from em_cli.outputs.selection import Selection, selection_text, table
from em_cli.runs.deliver import Delivery
from em_cli.runs.mixture_runs import Mixtures, ScoredMixture
from em_cli.runs.run import Run
from em_cli.runs.stdout import sweep_text
from em_cli.runs.warnings import not_validated, warn_of_choice, warn_of_left_out
from em_cli.search.ledger import Fitted


@dataclass(frozen=True, slots=True, eq=False)
class Swept:
    """What came of a sweep: the fits, their table, and the files of tests."""

    fits: Sequence[Fitted]
    selection: Selection
    tests: Mapping[str, Iterable[str]] = field(default_factory=dict)


Tester = Callable[[ScoredMixture, Swept, Params], tuple[Swept, Tested]]
# from the fit that was chosen and its document: the sweep with its tests, and what the document says of them


@dataclass(frozen=True, slots=True, eq=False)
class MixtureSweep:
    """Several mixtures, of which a criterion chooses one."""

    mixtures: Mixtures
    test: Tester | None = None  # whether each component is more than chance

    def plan(self) -> str:
        return self.mixtures.plan()

    def search(self) -> list[Fitted]:
        return self.mixtures.search()

    def chosen(self, fits: Sequence[Fitted]) -> MixtureOfSweep | None:
        selection = self._compared(fits)
        if selection.chosen is None or selection.context is None:
            return None
        own = ScoredMixture(self.mixtures, selection.chosen, selection.context)
        return MixtureOfSweep(own, Swept(fits, selection), self.test)

    def _compared(self, fits: Sequence[Fitted]) -> Selection:
        """The table of the fits, and which of them is chosen."""
        run, wanted = self.mixtures.run, self.mixtures.wanted
        context, criterion = self.mixtures.context(wanted.groups), run.settings.config.criterion
        left_out = self._left_out(fits) if criterion == CROSS_VALIDATION else None
        source, observe = run.data.source, run.record.observe
        with run.record.timed("scoring"):
            return table(
                fits, wanted.too_large, wanted.variants, context, source, run.runner, criterion, observe, left_out
            )

    def _left_out(self, fits: Sequence[Fitted]) -> CrossValidation | None:
        """What the fits say of rows left out; None if there are no fits."""
        found = [(fitted, fitted.chosen) for fitted in fits if fitted.chosen is not None]
        if not found:
            return None
        run, wanted = self.mixtures.run, self.mixtures.wanted
        config, results = run.settings.config, [result for _, result in found]
        with run.record.timed("cross-validation", shown=False):
            from em_cli.inference.cross_validation import cross_validated

            source = wanted.survey.source
            units = as_units(source) if config.data.weight_type == "frequency" else source
            observe = run.record.observe
            predicted = cross_validated(results, units, config.folds, config.seed, run.runner, run.halt, observe)
        if predicted is None:
            raise NoFit(not_validated(run.halt.reason, run.checkpoint is not None))
        warn_of_left_out(predicted.n_left_out, run.record)
        return CrossValidation(predicted, {id(fitted): place for place, (fitted, _) in enumerate(found)})


@dataclass(frozen=True, slots=True, eq=False)
class MixtureOfSweep:
    """The one that was chosen, and those that it was chosen among."""

    own: ScoredMixture
    swept: Swept
    test: Tester | None

    @property
    def run(self) -> Run:
        return self.own.run

    def warn(self) -> None:
        self.own.warn()
        warn_of_choice(self.swept.selection, self.own.context.effort, self.run.record)
        self.own.mixtures.look_further(self.swept.fits, self.own)

    def delivery(self) -> Delivery:
        own, swept, params = self.own, self.swept, self.own.document()
        if self.test is not None:
            swept, told = self.test(own, swept, params)
            params = {**params, **told}
        selection = swept.selection
        tables = {"selection.csv": selection_text(selection), **swept.tests}
        return own.delivery(params, lambda written: sweep_text(self.run, selection, params, written), tables)
