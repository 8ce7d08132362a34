"""Ways to climb the likelihood."""

from em_cli.engine.protocols import Algorithm
from em_cli.registry import Registry

ALGORITHMS = Registry[Algorithm](
    "algorithm",
    em="em_cli.algorithms.em:EM",
    squarem="em_cli.algorithms.squarem:SQUAREM",
    lbfgs="em_cli.algorithms.lbfgs:LBFGS",
)
