"""Runs side by side: what they are, whose density is higher, which component is which, which rows moved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from math import exp, isfinite, sqrt
from typing import Any

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.scoring import component_log_density
from em_cli.errors import DataError, UsageError
from em_cli.families import FAMILIES
from em_cli.inference.comparison import adjusted_rand, entropy_r2, likelihood_ratio, nested, vuong
from em_cli.inference.matching import Matching, distances, matched
from em_cli.inference.reported import errors_of_components
from em_cli.models.alternatives import DENSITIES
from em_cli.options import ReadingOptions
from em_cli.outputs.model_file import LoadedModel, read_model
from em_cli.postestimation.outliers import own_data
from em_cli.runs.row_scores import scored_chunks

MOST_NATS = 700  # of which the exponential is a number


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """A run, and what its model says of rows."""

    name: str
    loaded: LoadedModel
    rows: Integers  # (n,) places of the rows among all that were read
    log_density: Array  # (n,)
    responsibilities: Array  # (K, n)
    of_components: Array  # (K, n) their log-densities

    def only(self, rows: Integers) -> Scored:
        kept = np.isin(self.rows, rows)
        return Scored(
            self.name,
            self.loaded,
            self.rows[kept],
            self.log_density[kept],
            self.responsibilities[:, kept],
            self.of_components[:, kept],
        )

    @property
    def component(self) -> Integers:
        """(n,) the likeliest."""
        found: Integers = self.responsibilities.argmax(axis=0)
        return found


def compared(runs: Sequence[str], data: Sequence[str], reading: ReadingOptions) -> dict[str, Any]:
    """What there is to say of several runs, as a document."""
    if len(runs) < 2:
        raise UsageError("em compare needs at least two runs: em compare first.em second.em.")
    loaded = [read_model(run) for run in runs]
    names = _names(runs)
    for name, model in zip(names, loaded, strict=True):
        if model.model.latent.needs_groups:
            raise UsageError(f"{name}: rows of latent structure {model.document['latent']!r} depend on each other.")
    same = len({model.document.get("data_sha256") for model in loaded}) == 1
    if not (same or data):
        raise UsageError(
            "these runs were fitted to different data, of which densities cannot be compared: --data FILE names rows "
            "that all of them are to be judged by."
        )
    scored = _on_the_same_rows([_scored(*one, data, reading) for one in zip(runs, names, loaded, strict=True)])
    comparable = same and len({_likelihood_of(model) for model in loaded}) == 1
    return {
        "same_data": same,
        "comparable": comparable,
        "n_rows": len(scored[0].rows),
        "runs": _runs(scored, comparable),
        "pairs": [
            _pair(a, b, _densities_compare(a, b))
            | {"likelihood_ratio": _likelihood_ratio(a, b) if comparable else None}
            for a, b in combinations(scored, 2)
        ],
    }


def _names(runs: Sequence[str]) -> list[str]:
    """As they were given; numbered where one is given twice."""
    return [run if runs.count(run) == 1 else f"{run} ({place})" for place, run in enumerate(runs, 1)]


def _likelihood_of(loaded: LoadedModel) -> tuple[object, ...]:
    """What a log-likelihood is of: columns and what is a density there, rows and what they count, a prior, labels."""
    document = loaded.document
    columns = sorted(
        (column.name, "density" if column.type in DENSITIES else column.type) for column in loaded.schema.columns
    )
    apart = [group.family for group in loaded.groups if not FAMILIES.load(group.family).comparable]
    named = [c.get("name") != f"component {c.get('component')}" for c in document["components"]]
    counted = [document.get(key) for key in ("n_samples", "n_for_bic", "weight_column", "weight_type", "prior")]
    return (*columns, *apart, *counted, any(named), _response(loaded))


def _response(loaded: LoadedModel) -> tuple[object, ...] | None:
    """Of a regression, whose density is that of the response given other columns."""
    found = [dict(group.options) for group in loaded.groups if "response" in dict(group.options)]
    return (found[0]["response"], found[0].get("law")) if found else None


def _densities_compare(first: Scored, second: Scored) -> bool:
    """Whether both are densities of the same columns, counts and numbers alike."""
    a, b = first.loaded, second.loaded
    kinds = [sorted((c.name, bool(c.levels), c.type == "count") for c in one.schema.columns) for one in (a, b)]
    return kinds[0] == kinds[1] and _response(a) == _response(b)


def _scored(run: str, name: str, loaded: LoadedModel, data: Sequence[str], reading: ReadingOptions) -> Scored:
    paths, how = (data, reading) if data else own_data(run, reading)
    passed, rows, densities, shares, each = 0, list[Integers](), list[Array](), list[Array](), list[Array]()
    k = loaded.model.n_components
    for chunk, scores in scored_chunks(loaded, paths, how):
        rows.append(passed + chunk.rows)
        densities.append(scores.log_density)
        shares.append(scores.responsibilities[:k])
        ready = loaded.with_gaps if np.isnan(chunk.x).any() else loaded
        each.append(component_log_density(ready.model, ready.parameters, chunk.x))
        passed += chunk.n_rows
    if not any(map(len, rows)):
        raise DataError(f"there is no row that {name} could judge.")
    return Scored(name, loaded, np.concatenate(rows), np.concatenate(densities), *map(_beside, (shares, each)))


def _beside(parts: Sequence[Array]) -> Array:
    return np.concatenate(parts, axis=1)


def _on_the_same_rows(scored: Sequence[Scored]) -> list[Scored]:
    common = scored[0].rows
    for one in scored[1:]:
        common = np.intersect1d(common, one.rows)
    if not len(common):
        raise DataError("there is no row that all of these models can judge.")
    return [one.only(common) for one in scored]


def _runs(scored: Sequence[Scored], comparable: bool) -> list[dict[str, Any]]:
    known = [one.loaded.document.get("bic") for one in scored]  # a variational fit has none
    bics = [np.nan if bic is None else float(bic) for bic in known]
    best = min((bic for bic in bics if isfinite(bic)), default=np.nan)
    made = []
    for one, bic in zip(scored, bics, strict=True):
        document, delta = one.loaded.document, bic - best
        told = comparable and isfinite(delta)
        made.append(
            {
                "run": one.name,
                "family": document["family"],
                "structure": document.get("structure"),
                "n_components": document["n_components"],
                "n_parameters": document.get("n_parameters"),
                "log_likelihood": document.get("log_likelihood"),
                "bic": document.get("bic"),
                "delta_bic": delta if told else None,
                "bayes_factor": exp(-min(delta / 2, MOST_NATS)) if told else None,
                "mean_log_density": float(one.log_density.mean()),
                "entropy_r2": entropy_r2(one.responsibilities),
                "smallest_weight": float(min(document["weights"])),
            }
        )
    return made


def _pair(first: Scored, second: Scored, densities_compare: bool) -> dict[str, Any]:
    a, b = first.loaded, second.loaded
    found = matched(
        distances(first.responsibilities, first.of_components, second.responsibilities, second.of_components)
        if densities_compare
        else _disagreement(first.responsibilities, second.responsibilities)
    )
    more = a.model.n_parameters - b.model.n_parameters
    test = vuong(first.log_density, second.log_density, more) if densities_compare else None
    renamed = np.full(b.model.n_components, -1)
    renamed[found.second] = found.first
    moved = renamed[second.component] != first.component
    return {
        "first": first.name,
        "second": second.name,
        "mean_difference": test.mean if test else None,
        "standard_error": test.standard_error if test else None,
        "vuong_z": test.z if test and isfinite(test.z) else None,
        "adjusted_rand": adjusted_rand(first.component, second.component),
        "n_rows_moved": int(moved.sum()),
        "margin": found.margin if isfinite(found.margin) else None,
        "ambiguous": found.ambiguous,
        "matched": list(_matched(a, b, found, densities_compare)),
        "unmatched_first": _left(a, found.first),
        "unmatched_second": _left(b, found.second),
    }


def _likelihood_ratio(first: Scored, second: Scored) -> dict[str, Any] | None:
    """The test where it is regular: Gaussian components, as many of them, of nested covariance structures."""
    for narrow, wide in ((first, second), (second, first)):
        one, other = narrow.loaded.document, wide.loaded.document
        plain = one.get("prior") == other.get("prior") == "none"
        alike = plain and all(
            one.get(key) == other.get(key) for key in ("family", "n_components", "latent", "family_options")
        )
        if one["family"] == "gaussian" and alike and nested(one["structure"], other["structure"]):
            df = wide.loaded.model.n_parameters - narrow.loaded.model.n_parameters
            found = likelihood_ratio(one["log_likelihood"], other["log_likelihood"], df)
            names = {"within": one["structure"], "wider": other["structure"]}
            return None if found is None else names | asdict(found)
    return None


def _disagreement(r: Array, s: Array) -> Array:
    """(K, L) one minus the share of the rows of either that both hold: where densities are not of the same thing."""
    both = r @ s.T
    found: Array = 1 - both / np.maximum(r.sum(axis=1)[:, None] + s.sum(axis=1) - both, np.finfo(float).tiny)
    return found


def _left(loaded: LoadedModel, taken: Integers) -> list[int]:
    return [k + 1 for k in range(loaded.model.n_components) if k not in taken]


def _matched(a: LoadedModel, b: LoadedModel, found: Matching, kl: bool) -> Iterator[dict[str, Any]]:
    shared = [name for name in a.schema.names if name in b.schema.names]
    for k, other_k, distance in zip(found.first.tolist(), found.second.tolist(), found.distance.tolist(), strict=True):
        one, other = (dict(m.document["components"][place]) for m, place in ((a, k), (b, other_k)))
        errors = [_errors(m.document, place) for m, place in ((a, k), (b, other_k))]
        yield {
            "first": k + 1,
            "second": other_k + 1,
            "distance": distance if kl else None,
            "weight_first": one["weight"],
            "weight_second": other["weight"],
            "means": [
                {"column": name, "first": x, "second": y, "difference_in_errors": _in_errors(x, y, name, errors)}
                for name in shared
                if (x := one["mean"].get(name)) is not None and (y := other["mean"].get(name)) is not None
            ],
        }


def _errors(document: Mapping[str, Any], place: int) -> Mapping[str, Any]:
    """Of the means of a component."""
    found = errors_of_components(document, place + 1)
    return found[place].get("mean", {}) if found else {}


def _in_errors(x: float, y: float, name: str, errors: Sequence[Mapping[str, Any]]) -> float | None:
    """The difference of two means in pooled standard errors: a scale, not a test, as both are of the same rows."""
    one, other = (own.get(name) for own in errors)
    return (x - y) / sqrt((one**2 + other**2) / 2) if one and other else None
