"""Pictures of a run, one kind each."""

from em_cli.registry import Registry

PICTURES = Registry(
    "picture",
    density="em_cli.reports.density:Density",
)
