"""What a document says of each component in the units of the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from em_cli.engine.documents import field, of_groups
from em_cli.engine.family import Degeneracy
from em_cli.engine.scoring import Totals
from em_cli.models.groups import described, regression_in
from em_cli.models.point_masses import point_mass
from em_cli.outputs.model_file import LoadedModel
from em_cli.outputs.naming import Naming
from em_cli.outputs.search_found import finite


def components(
    loaded: LoadedModel, totals: Totals, degeneracies: Sequence[Degeneracy | None], naming: Naming
) -> list[dict[str, object]]:
    """Mean and standard deviation of the columns that hold numbers, probabilities of the levels of the others."""
    columns = loaded.schema.columns
    means, sds = loaded.model.family.moments(loaded.parameters.components)
    told = described(loaded.groups, loaded.schema)
    regression = regression_in(loaded.groups)
    numbers = [(place, columns[place].name) for place in told if not columns[place].levels or regression]
    levels, masses = level_probabilities(loaded), _point_masses(loaded)

    def before(k: int) -> dict[str, object]:
        return {"matched": None if (was := naming.was[k]) is None else asdict(was)} if naming.was else {}

    def one(k: int) -> dict[str, object]:
        described: dict[str, object] = {
            "mean": {name: finite(means[k, place]) for place, name in numbers},
            "sd": {name: finite(sds[k, place]) for place, name in numbers},
        }
        if masses:
            described["at_value"] = {name: {"value": at, "probability": p[k]} for name, (at, p) in masses.items()}
        return described | ({"probabilities": {name: p[k] for name, p in levels.items()}} if levels else {})

    return [
        {
            "component": k + 1,
            "name": naming.names[k],
            "weight": weight,
            "n_effective": float(totals.n_effective[k]),
            "n_assigned": int(totals.n_assigned[k]),
            **one(k),
            **before(k),
            "degenerate": degeneracies[k] is not None,
        }
        for k, weight in enumerate(loaded.document["weights"])
    ]


def _point_masses(loaded: LoadedModel) -> dict[str, tuple[float, list[float]]]:
    """For each semicontinuous column, the value that many rows bear, and its probability in every component."""
    found: dict[str, tuple[float, list[float]]] = {}
    names = loaded.schema.names
    for group, own in zip(loaded.groups, of_groups(loaded.document), strict=True):
        if (value := point_mass(group)) is not None:
            for place, at in enumerate(group.columns):
                found[names[at]] = value, [of_component[place] for of_component in field(own, "value_probabilities")]
    return found


def level_probabilities(loaded: LoadedModel) -> dict[str, list[dict[str, float]]]:
    """For each column of levels, the probability of each in every component."""
    found: dict[str, list[dict[str, float]]] = {}
    names = loaded.schema.names
    for group, own in zip(loaded.groups, of_groups(loaded.document), strict=True):
        for place, at in enumerate(group.columns):
            if group is regression_in(loaded.groups):
                continue
            if levels := loaded.schema.columns[at].levels:
                found[names[at]] = [
                    dict(zip(levels, _each(of_component[place]), strict=True))
                    for of_component in field(own, "probabilities")
                ]
    return found


def _each(probability: float | list[float]) -> list[float]:
    """Of all levels; of two, that of the second is enough to say."""
    return probability if isinstance(probability, list) else [1 - probability, probability]
