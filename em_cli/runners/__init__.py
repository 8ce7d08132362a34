"""Places to compute."""

from em_cli.engine.protocols import Runner
from em_cli.registry import Registry

RUNNERS = Registry[Runner](
    "runner",
    serial="em_cli.runners.serial:Serial",
    threads="em_cli.runners.threads:Threads",
    dask="em_cli.runners.dask:Dask",
)
