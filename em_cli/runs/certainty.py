"""How sure a fit is: its standard errors, where they cost less than the search did."""

from __future__ import annotations

from dataclasses import replace

from em_cli import memory
from em_cli.engine.expectation import Parameters
from em_cli.engine.model import Model
from em_cli.engine.objectives import LOG_LIKELIHOOD
from em_cli.engine.protocols import Runner
from em_cli.families.variational.held import has_held
from em_cli.inference.louis import is_linear, keeps_digits, passes_of_squares
from em_cli.inference.standard_errors import (
    CHEAP,
    NoStandardErrors,
    can_be_unasked,
    cost_beside_rows,
    memory_of_errors,
    standard_errors,
)
from em_cli.outputs.document import Scored
from em_cli.outputs.errors_document import errors_document, no_errors_document
from em_cli.search.ledger import Fitted


def errors_of(result: Scored, wanted: str, frequencies: bool, cut_short: bool, runner: Runner) -> dict[str, object]:
    """What a document says of the standard errors of its numbers."""
    k = result.loaded.model.n_components
    if wanted == "none":
        return no_errors_document("they were not asked for.")
    if result.figures.elbo is not None:
        return no_errors_document("a variational fit tells intervals of the posterior instead, in components.")
    chosen = result.fitted.chosen
    if chosen is not None and (name := chosen.candidate.objective) != LOG_LIKELIHOOD:
        return no_errors_document(f"the fit maximises another objective ({name}) than the likelihood.")
    if has_held(result.parameters):
        return no_errors_document(
            "a penalty draws means to those of the data or precisions to zero, and holds some there."
        )
    if cut_short:
        return no_errors_document("the fit was cut short, and is at no maximum of the likelihood.")
    if any(found is not None for found in result.degeneracies):
        return no_errors_document("a component is held up by the resolution of the data, or has collapsed.")
    model, parameters = _bound(result)
    if (why := _too_dear(result, wanted, model, parameters)) is not None:
        return no_errors_document(why)
    weight = result.totals.n_effective[:k]
    found = standard_errors(model, parameters, weight, result.source, runner, frequencies)
    if isinstance(found, NoStandardErrors):
        return no_errors_document(found.reason)
    columns = [column.name for column in result.loaded.schema.columns]
    return errors_document(found, wanted, columns)


def _too_dear(result: Scored, wanted: str, model: Model, parameters: Parameters) -> str | None:
    """Why they are left out: what they take, of time and memory."""
    needed, there = memory_of_errors(model), memory.available()
    if there is not None and needed > there:
        return (
            f"those of {model.n_parameters:,} parameters need about {memory.size(needed)} of memory; "
            f"{memory.size(there)} are available."
        )
    if wanted == "auto" and not _cheap(model, parameters, result.fitted, result.source.n_rows):
        return "they would take longer than the search did; --se observed computes them."
    return None


def _bound(result: Scored) -> tuple[Model, Parameters]:
    """The model and its parameters, bound to the rows: so it knows how far out they are, and what products lose.

    In the units of the user, powers of a year cannot be told apart by differences.
    """
    loaded, chosen = result.loaded, result.fitted.chosen
    if chosen is None or (loaded.response is None and not is_linear(chosen.candidate.model)):
        return loaded.model, loaded.parameters
    model = chosen.candidate.model
    if loaded.response is None:
        model = replace(model, prior=loaded.model.prior)
    return model, model.from_document(result.parameters)


def _cheap(model: Model, at: Parameters, fitted: Fitted, n_rows: int) -> bool:
    """As log-densities: one takes as long whatever it is for."""
    if not can_be_unasked(model, n_rows):
        return False
    passes = passes_of_squares(model) if keeps_digits(model, at) else 4 * model.n_parameters
    climbed = sum(len(entry.result.trace) for entry in fitted.ledger if not entry.sample_rows)
    a_pass = n_rows * model.n_components
    return a_pass * passes + cost_beside_rows(model) <= max(a_pass * climbed, CHEAP)
