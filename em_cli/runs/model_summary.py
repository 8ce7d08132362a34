"""A model in words, for a terminal."""

from __future__ import annotations

from em_cli.display.haplotypes_page import haplotypes_read_line, haplotypes_summary
from em_cli.display.search_words import number
from em_cli.display.sketches import sketches
from em_cli.display.summary import fit_summary
from em_cli.display.topics_page import topics_read_line, topics_summary
from em_cli.options import ScreenOptions
from em_cli.outputs.any_model import read_any
from em_cli.outputs.haplotypes_file import LoadedHaplotypes
from em_cli.outputs.topics_file import LoadedTopics
from em_cli.runs.screen import color_wanted, page_width
from em_cli.runs.terminal_plots import sketches_of
from em_cli.sources.quoting import listed


def summary_of(model: str, screen: ScreenOptions, drawn: bool) -> str:
    """What there is to say of a model, or of the model of a run."""
    loaded = read_any(model)
    document, color = loaded.document, color_wanted(screen)
    if isinstance(loaded, LoadedHaplotypes):
        return haplotypes_summary(
            document,
            read_line=f"fitted to {haplotypes_read_line(document)}",
            written=[],
            folder=None,
            width=page_width(),
            color=color,
        )
    if isinstance(loaded, LoadedTopics):
        return topics_summary(
            document,
            read_line=topics_read_line(document),
            written=[],
            folder=None,
            width=page_width(),
            color=color,
        )
    n, names = number(document.get("n_samples")) or 0, listed(loaded.schema.names)
    columns = page_width()
    text = fit_summary(
        document,
        read_line=f"fitted to {n:,.0f} rows of {names}",
        written=[],
        folder=None,
        width=columns,
        color=color,
    )
    if drawn:
        text += sketches(sketches_of(loaded, model, columns), columns, color)
    return text
