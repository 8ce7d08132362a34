"""A model in words, for a terminal."""

from __future__ import annotations

from em_cli.display.closing import Beside
from em_cli.display.haplotypes_page import haplotypes_read_line, haplotypes_summary
from em_cli.display.search_words import number
from em_cli.display.summary import fit_summary
from em_cli.display.topics_page import topics_read_line, topics_summary
from em_cli.options import ScreenOptions
from em_cli.outputs.any_model import read_any
from em_cli.outputs.haplotypes_file import LoadedHaplotypes
from em_cli.outputs.topics_file import LoadedTopics
from em_cli.runs.screen import color_wanted, page_width
from em_cli.sources.quoting import listed


def summary_of(model: str, screen: ScreenOptions, drawn: bool) -> str:
    """What there is to say of a model, or of the model of a run."""
    loaded = read_any(model)
    columns, color = page_width(), color_wanted(screen)

    def fitted_to(read: str) -> Beside:
        return Beside(f"fitted to {read}", loaded.document.get("warnings"), width=columns, color=color)

    if isinstance(loaded, LoadedHaplotypes):
        return haplotypes_summary(loaded.document, fitted_to(haplotypes_read_line(loaded.document)))
    if isinstance(loaded, LoadedTopics):
        return topics_summary(loaded.document, fitted_to(topics_read_line(loaded.document)))
    n, names = number(loaded.document.get("n_samples")) or 0, listed(loaded.schema.names)
    text = fit_summary(loaded.document, fitted_to(f"{n:,.0f} rows of {names}"))
    if drawn:
        from em_cli.display.sketches import sketches
        from em_cli.runs.terminal_plots import sketches_of

        text += sketches(sketches_of(loaded, model, columns), columns, color)
    return text
