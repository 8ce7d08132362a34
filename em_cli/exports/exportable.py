"""Which models have a closed form, and which languages can hold it."""

from __future__ import annotations

from collections.abc import Mapping

ONE_BY_ONE = ("independent", "noise", "concomitant")  # latent structures under which rows are scored one by one
GROUPED, CHAIN, TOPICS = "grouped", "markov", "topics"  # and those under which a program must see all of them
PROGRAMS = ("python",)


def why_not(document: Mapping[str, object], to: str) -> str | None:
    """Why the model of a document cannot be exported to a language, and what does instead; None if it can."""
    latent = document["latent"]
    if latent not in (*ONE_BY_ONE, GROUPED, CHAIN, TOPICS):
        return f"a model of latent structure {latent!r} cannot be exported: use em predict."
    if latent not in ONE_BY_ONE and to not in PROGRAMS:
        what = "documents" if latent == TOPICS else "rows"
        return (
            f"{what} of latent structure {latent!r} are not scored one by one, as those of --to {to} are: "
            f"export it --to python, or use em predict."
        )
    return None


def targets_of(document: Mapping[str, object]) -> list[str]:
    """Where a model is likely to be wanted: SQL, or else Python; nowhere if it cannot be exported."""
    return [to for to in ("sql", "python") if why_not(document, to) is None][:1]
