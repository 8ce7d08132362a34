"""What is said of new data by a model of whichever kind: a mixture of rows, topics of documents, haplotypes."""

from __future__ import annotations

from collections.abc import Sequence

from em_cli.options import ReadingOptions
from em_cli.outputs.any_model import open_any
from em_cli.outputs.folder import Content
from em_cli.outputs.haplotypes_file import LoadedHaplotypes
from em_cli.outputs.topics_file import LoadedTopics
from em_cli.postestimation.forecast import asked_table
from em_cli.postestimation.haplotype_scores import pairs_table
from em_cli.postestimation.topic_scores import topics_table
from em_cli.runs.remembered import tell_remembered


def predicted(
    model: str,
    paths: Sequence[str],
    reading: ReadingOptions,
    unseen: int | None,
    append: bool,
    decode: str | None,
    horizon: int | None,
) -> Content:
    """What `em predict` gives; `UsageError` for options that are of other models."""
    loaded = open_any(model, paths)
    of_rows = {"--append": append, "--decode": decode, "--horizon": horizon}
    if isinstance(loaded, LoadedHaplotypes):
        return pairs_table(loaded, paths, reading, {**of_rows, "--unseen": unseen})
    if isinstance(loaded, LoadedTopics):
        return topics_table(loaded, paths, reading, unseen, of_rows)
    tell_remembered(loaded, reading)
    return asked_table(loaded, paths, reading, decode, horizon, append, unseen)
