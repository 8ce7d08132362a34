"""Which models have a closed form that every language can hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ONE_BY_ONE = ("independent", "noise", "concomitant")  # latent structures under which rows are scored one by one


def why_not(document: Mapping[str, Any]) -> str | None:
    """Why the model of a document cannot be exported, and what does instead; None if it can."""
    latent = document["latent"]
    if latent not in ONE_BY_ONE:
        return (
            f"rows of latent structure {latent!r} are not scored one by one, as an exported model does: use em predict."
        )
    inference = document.get("inference", "ml")
    if inference not in ("ml", "map"):
        return f"the predictive distribution of inference {inference!r} cannot be exported yet: use em predict."
    return None
