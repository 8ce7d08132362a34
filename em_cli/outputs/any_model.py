"""A model read back, of whichever kind."""

from __future__ import annotations

from collections.abc import Sequence

from em_cli.errors import UsageError
from em_cli.outputs.haplotypes_file import LoadedHaplotypes, haplotypes_of
from em_cli.outputs.model_file import OF_HAPLOTYPES, OF_TOPICS, LoadedModel, document_of, model_in, read_bytes
from em_cli.outputs.topics_file import LoadedTopics, topics_of


def read_any(path: str) -> LoadedModel | LoadedTopics | LoadedHaplotypes:
    """The model of a run folder, a file or standard input ('-')."""
    document = document_of(path, read_bytes(path))
    if document.get("format") == OF_TOPICS:
        return topics_of(path, document)
    if document.get("format") == OF_HAPLOTYPES:
        return haplotypes_of(path, document)
    return model_in(path, document)


def open_any(model: str, paths: Sequence[str]) -> LoadedModel | LoadedTopics | LoadedHaplotypes:
    """The model that is to score what these files hold."""
    if model == "-" and "-" in paths:
        raise UsageError("the model and the data cannot both come from standard input.")
    return read_any(model)
