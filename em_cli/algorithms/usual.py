"""What algorithms are unless they say otherwise."""

from __future__ import annotations

from em_cli.engine.model import Model
from em_cli.engine.objectives import LOG_LIKELIHOOD
from em_cli.engine.protocols import Algorithm


class Usual:
    """It climbs the likelihood, from wherever a search has come to, on any rows, in models of every kind."""

    __slots__ = ()

    @property
    def objective(self) -> str:
        return LOG_LIKELIHOOD

    @property
    def memoryless(self) -> bool:
        return False

    @property
    def from_starts(self) -> bool:
        return False

    @property
    def on_sample(self) -> Algorithm | None:
        return None

    @property
    def from_sample(self) -> Algorithm | None:
        return None

    def refuses(self, model: Model) -> str | None:
        return None


def needs_plain_sums(name: str, model: Model) -> str | None:
    """The refusal of an algorithm that puts statistics together that were found at different parameters."""
    if model.prior:
        return f"--algorithm {name} knows no --prior weak, which follows the components: em, squarem and lbfgs do."
    by_products = model.family.exponential
    if by_products is not None and not by_products.needs_frame and model.latent.sums_are_plain:
        return None
    return (
        f"--algorithm {name} adds statistics that were found at different parameters, and those of such a model depend "
        "on these: em, squarem, lbfgs and annealed do not."
    )


def needs_single_rows(name: str, model: Model) -> str | None:
    """The refusal of an algorithm that assigns each row by itself."""
    if not model.latent.needs_groups:
        return None
    return f"--algorithm {name} assigns every row by itself, and here rows belong together: em, squarem and lbfgs do."
