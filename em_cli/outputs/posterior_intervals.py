"""What a document says of each component's posterior: intervals, by the names of the columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from em_cli.engine.documents import field, of_groups
from em_cli.outputs.model_file import LoadedModel


def intervals_of(loaded: LoadedModel) -> list[dict[str, object]] | None:
    """Of weight, means, deviations and probabilities of levels; None where parameters have no posterior."""
    document, columns = loaded.document, loaded.schema.columns
    told = document.get("weights_posterior")
    if told is None:
        return None
    found: list[dict[str, Any]] = [{"weight": ends} for ends in field(told, "intervals")]
    for group, own in zip(loaded.groups, of_groups(document), strict=True):
        for quantity, values in field(own, "intervals").items():
            for k, of_component in enumerate(values if isinstance(values, list) else ()):
                for at, place in enumerate(group.columns):
                    if columns[place].transform is None:  # else they are those of another scale
                        inner = found[k].setdefault(quantity, {})
                        inner[columns[place].name] = _of_levels(columns[place].levels, of_component[at])
    return found


def _of_levels(levels: Sequence[str], ends: Any) -> Any:
    """Of a column of levels those of each; of two, that of the second is enough to say."""
    if not levels:
        return ends
    each = ends if isinstance(ends[0], list) else [[1 - ends[1], 1 - ends[0]], ends]
    return dict(zip(levels, each, strict=True))


def with_intervals(components: list[dict[str, object]], loaded: LoadedModel) -> list[dict[str, object]]:
    """The components with the intervals of each, if there are any."""
    found: Sequence[Mapping[str, Any]] | None = intervals_of(loaded)
    if found is None:
        return components
    return [own | {"interval": ends} for own, ends in zip(components, found, strict=True)]
