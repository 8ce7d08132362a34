"""`transitions.csv`: how often one state follows another."""

from __future__ import annotations

from em_cli.engine.arrays import stack, take
from em_cli.engine.passes import one_pass
from em_cli.engine.plan import Stack
from em_cli.outputs.document import Scored
from em_cli.runners.serial import Serial

TRANSITION_COLUMNS = ("from", "to", "probability", "expected_count")


def transition_rows(result: Scored) -> list[dict[str, object]] | None:
    """A row for each pair of states; None where rows do not follow each other."""
    model, parameters = result.loaded.model, result.loaded.parameters
    decoder = model.latent.decoder
    if decoder is None or not decoder.ordered:
        return None
    (batch,) = one_pass([Stack(model, stack([parameters]))], result.source, Serial())
    counts = decoder.expected_steps(take(batch.statistics.latent, 0))
    law = decoder.law_of_steps(parameters.latent)
    k = model.n_components
    return [
        {"from": a + 1, "to": b + 1, "probability": float(law[a, b]), "expected_count": float(counts[a, b])}
        for a in range(k)
        for b in range(k)
    ]
