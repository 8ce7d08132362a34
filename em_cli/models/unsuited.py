"""Options that do not go with a latent structure of its own kind, such as topics or pairs of haplotypes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from em_cli.errors import UsageError

if TYPE_CHECKING:
    from em_cli.config.run_config import RunConfig

Unsuited = tuple[str, "Callable[[RunConfig], object]", str]  # an option, whether it is asked for, and what can be had


def refuse_unsuited(config: RunConfig, latent: str, options: Sequence[Unsuited]) -> None:
    """`UsageError` for the first of them that is asked for."""
    for option, asked, instead in options:
        if asked(config):
            raise UsageError(f"{option} does not go with --latent {latent}: {instead}")
