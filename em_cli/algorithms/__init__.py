"""Ways to climb."""

from em_cli.engine.protocols import Algorithm
from em_cli.registry import Registry

ALGORITHMS = Registry[Algorithm](
    "algorithm",
    em="em_cli.algorithms.em:EM",
    squarem="em_cli.algorithms.squarem:SQUAREM",
    lbfgs="em_cli.algorithms.lbfgs:LBFGS",
    cem="em_cli.algorithms.cem:CEM",
    annealed="em_cli.algorithms.annealed:Annealed",
    sem="em_cli.algorithms.sem:SEM",
    saem="em_cli.algorithms.saem:SAEM",
    incremental="em_cli.algorithms.incremental:Incremental",
    minibatch="em_cli.algorithms.minibatch:MiniBatch",
    online="em_cli.algorithms.online:Online",
    sparse="em_cli.algorithms.sparse:Sparse",
)
