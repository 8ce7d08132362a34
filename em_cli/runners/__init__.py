"""Places to compute."""

from em_cli.registry import Registry

RUNNERS = Registry(
    "runner",
    serial="em_cli.runners.serial:Serial",
    threads="em_cli.runners.threads:Threads",
)
