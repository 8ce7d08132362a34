"""The standard errors that a document reports, as anyone may have edited it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def reported_errors(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Those that are to be believed, in the shapes of the parameters; none where there are none."""
    found = document.get("standard_errors")
    own = found.get(str(found.get("reported"))) if isinstance(found, Mapping) else None
    return own if isinstance(own, Mapping) else {}


def errors_of_components(document: Mapping[str, Any], n: int) -> Sequence[Mapping[str, Any]] | None:
    """Those of weight, mean and standard deviation of each of n components; None if there are none."""
    components = reported_errors(document).get("components")
    if not isinstance(components, list) or len(components) < n:
        return None
    several = [component for component in components[:n] if isinstance(component, Mapping)]
    return several if len(several) == n else None
