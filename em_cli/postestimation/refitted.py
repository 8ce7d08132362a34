"""A run whose model is to be fitted again: to other weights of its rows, or to rows drawn from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from em_cli.documents.params_json import Params
from em_cli.engine.arrays import stack
from em_cli.engine.expectation import Parameters
from em_cli.engine.model import Model
from em_cli.engine.passes import one_pass
from em_cli.engine.plan import Stack
from em_cli.engine.rows import Source
from em_cli.errors import DataError, UsageError
from em_cli.models.groups import Group
from em_cli.models.redrawn import as_units, redrawn
from em_cli.models.variants import model_again
from em_cli.outputs.document import CONJUGATE, LAPLACE
from em_cli.outputs.model_file import read_model
from em_cli.runners.serial import Serial
from em_cli.runs.plotted_rows import read_source
from em_cli.runs.read_back import read_run
from em_cli.sources.schema import Schema
from em_cli.sources.store import Store

SAME = 1e-7  # relative difference of log-likelihoods of the same rows


def check_replicates(wanted: int, fewest: int, most: int) -> None:
    """`UsageError` where they are too few to tell anything, or too many."""
    if not fewest <= wanted <= most:
        raise UsageError(f"-B or --replicates must be from {fewest} to {most:,}, not {wanted:,}.")


@dataclass(frozen=True, slots=True, eq=False)
class Refit:
    """The model, bound to the rows in order to be fitted to them, and where the run has come to."""

    run: str
    document: Params
    schema: Schema
    groups: tuple[Group, ...]
    model: Model
    start: Parameters
    source: Source

    @property
    def frequencies(self) -> bool:
        """Whether weights count equal rows."""
        return self.document.get("weight_type") == "frequency"

    @property
    def units(self) -> Source:
        """The rows as they are drawn: where weights count equal rows, each for itself."""
        return as_units(self.source) if self.frequencies else self.source

    def drawn(self, parameters: Parameters, like: Source, *seed: int) -> Source:
        """Rows from the model with these parameters, in the place of others."""
        return redrawn(self.model_of(parameters), self.groups, parameters, like, seed)

    def model_of(self, parameters: Parameters) -> Model:
        """The model of as many components."""
        k = self.model.latent.log_prior(stack([parameters]).latent).shape[-1]
        return replace(self.model, n_components=k)


def check_maximum(folder: str, document: Mapping[str, object], what: str) -> None:
    """`UsageError` if the fit is no maximum of the likelihood, which refits climb to."""
    if (prior := document.get("prior")) in (CONJUGATE, LAPLACE) and not document.get("objective"):
        raise UsageError(
            f"{folder} was fitted under a {prior} prior, and refits maximise the likelihood: it cannot {what}. "
            "em fit without --inference fits a model that can."
        )
    if climbed := document.get("objective"):
        raise UsageError(
            f"{folder} has another objective ({climbed}) than the likelihood, which is what refits maximise: it cannot "
            f"{what}. em fit without --algorithm and --inference fits a model that can."
        )


def refit_of(folder: str, data: Sequence[str], what: str, store: Store | None = None) -> Refit:
    """`UsageError` where the model cannot be fitted again; `DataError` if these are not the rows that it was fitted to.

    `what` is to be done, in words that follow "cannot"; rows are kept in the store, or in memory.
    """
    run = read_run(folder, data, rows_wanted=False)
    check_maximum(folder, run.document, what)
    if run.manifest.get("config", {}).get("data", {}).get("labels") is not None:
        raise UsageError(f"a run with known labels cannot {what}; em fit --se robust gives standard errors.")
    store = Store() if store is None else store
    found = read_source(read_model(folder), run.manifest, Path(folder), data, store).in_pattern_order()
    model = model_again(run.document, run.schema, run.groups, found)
    start = model.from_document(run.document)
    (batch,) = one_pass([Stack(model, stack([start]))], found, Serial())
    told = run.document.get("penalised_log_likelihood", run.document.get("log_likelihood"))
    here = float(batch.log_likelihood[0])
    if not isinstance(told, int | float) or abs(here - told) > SAME * max(1.0, abs(told)):
        raise DataError(
            f"{folder}: its rows have log-likelihood {here:.10g} under its model, and not {told} as params.json says. "
            "Was it edited? Fit again."
        )
    return Refit(folder, run.document, run.schema, run.groups, model, start, found)
