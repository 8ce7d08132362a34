"""Coefficients without a best value: the farther they go the likelier, where regressors tell without exception."""

from __future__ import annotations

import numpy as np

from em_cli.outputs.document import Scored
from em_cli.printable import safe
from em_cli.runs.record import Record
from em_cli.sources.quoting import listed, quoted

LEAST_TOLD = 0.1  # information in the direction in which there is least, of regressors in standard deviations
FAR = 7.0  # log-odds of mixing weights, for a level or a standard deviation


def warn_of_runaway(result: Scored, record: Record) -> None:
    """Say which coefficients of a fit mean no more than that they are large."""
    if found := _of_response(result):
        which = "component " if len(found) == 1 else "components "
        record.warn(
            "runaway_coefficients",
            f"{which}{listed([str(k) for k in found])}: regressors tell {quoted(str(result.loaded.response))} nearly "
            "without exception, so coefficients run away: read no size off them. Fewer components or terms may do.",
        )
    if terms := _of_weights(result):
        record.warn(
            "runaway_coefficients",
            f"--concomitant: {listed(terms)} {'tells' if len(terms) == 1 else 'tell'} some component nearly without "
            "exception, so log-odds run away: read no size off them.",
        )


def _of_response(result: Scored) -> list[int]:
    """The components, from 1, whose response is told so."""
    chosen = result.fitted.chosen
    if result.loaded.response is None or chosen is None:
        return []
    from em_cli.families.regression.generalized_chart import GeneralizedParameters
    from em_cli.models.groups import regression_of

    model, groups = chosen.candidate.model, result.loaded.groups
    now = regression_of(groups, model, chosen.parameters)
    written = regression_of(groups, model, model.from_document(result.parameters))
    if now is None or written is None or not isinstance(own := now[1], GeneralizedParameters):
        return []
    information, f = own.information * chosen.weight[:, None, None], now[0].regressors.f
    information[:, f:, f:] = information[:, f:, f:].sum(axis=0)  # of common coefficients all components tell
    told = np.linalg.eigvalsh(information)[:, 0]
    away = np.abs(written[1].coefficients[:, None] - own.coefficients[None]).max(axis=2)
    return [k + 1 for k, place in enumerate(away.argmin(axis=1).tolist()) if told[place] < LEAST_TOLD]


def _of_weights(result: Scored) -> list[str]:
    """The terms that tell mixing weights so."""
    chosen, told = result.fitted.chosen, result.parameters.get("concomitant")
    if told is None or chosen is None:
        return []
    from em_cli.latents.concomitant import LogitParameters

    if not isinstance(own := chosen.parameters.latent, LogitParameters):
        return []
    largest = np.abs(own.logits[:, 1:] - own.logits[:1, 1:]).max(axis=0)
    return [safe(told["names"][1 + at]) for at in np.flatnonzero(largest > FAR).tolist()]
