"""How well a model of whichever kind fits data: what `em score` writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from em_cli.errors import UsageError
from em_cli.options import ReadingOptions
from em_cli.outputs.folder import Content
from em_cli.outputs.haplotypes_file import LoadedHaplotypes
from em_cli.outputs.manifest import to_json
from em_cli.outputs.model_file import LoadedModel
from em_cli.outputs.topics_file import LoadedTopics
from em_cli.postestimation.drifted import drift_document
from em_cli.postestimation.forecast import residual_table
from em_cli.postestimation.haplotype_scores import genotype_scores
from em_cli.postestimation.score_totals import density_lines, score_document
from em_cli.postestimation.topic_scores import bound_document, bound_rows, refuse_for_topics
from em_cli.runs.remembered import tell_remembered
from em_cli.runs.row_scores import scored_chunks


@dataclass(frozen=True, slots=True)
class Asked:
    """Which scores are wanted: totals, unless it is tables of rows, or whether these still follow the model."""

    weights: str | None  # the column of case weights
    rows: bool
    residuals: bool
    drift: bool

    def __post_init__(self) -> None:
        if self.drift and (self.rows or self.residuals):
            raise UsageError("--drift is about all rows together: leave out --rows and --residuals.")

    @property
    def of_mixtures(self) -> dict[str, object]:
        """What topics and haplotypes do not have."""
        return {"--residuals": self.residuals, "--drift": self.drift}

    def check_of_mixture(self) -> None:
        """`UsageError` if no table of rows of a mixture is so."""
        if (self.rows or self.residuals) and self.weights:
            what = "--rows" if self.rows else "--residuals"
            raise UsageError(f"--weights does not apply to {what}: they are those of each row alone.")
        if self.rows and self.residuals:
            raise UsageError("--rows and --residuals are two tables: ask for one of them.")


def scores_asked(
    loaded: LoadedModel | LoadedTopics | LoadedHaplotypes, paths: Sequence[str], reading: ReadingOptions, asked: Asked
) -> tuple[Content, Mapping[str, Any] | None]:
    """What is to be written, and what there is to tell of drift if that is asked for."""
    if isinstance(loaded, LoadedHaplotypes):
        return genotype_scores(loaded, paths, reading, asked.weights, asked.rows, asked.of_mixtures), None
    if isinstance(loaded, LoadedTopics):
        refuse_for_topics({"--weights": asked.weights, **asked.of_mixtures})
        rows = asked.rows
        return bound_rows(loaded, paths, reading) if rows else [to_json(bound_document(loaded, paths, reading))], None
    tell_remembered(loaded, reading)
    asked.check_of_mixture()
    if asked.residuals:
        return residual_table(loaded, paths, reading), None
    if asked.drift:
        found = drift_document(loaded, paths, reading, asked.weights)
        return [to_json(found)], found["drift"]
    chunks = scored_chunks(loaded, paths, reading, asked.weights)
    return density_lines(chunks) if asked.rows else [to_json(score_document(loaded, chunks))], None
