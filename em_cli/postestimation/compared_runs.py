"""Runs side by side: what they are, whose density is higher, which component is which, which rows moved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from math import exp, isfinite, sqrt
from typing import Any

import numpy as np

from em_cli.documents.comparison_json import ComparedPair, ComparedRun, Comparison, MatchedPair, NestedTest
from em_cli.documents.known import known_as
from em_cli.engine.arrays import Integers
from em_cli.errors import DataError, UsageError
from em_cli.families import FAMILIES
from em_cli.inference.comparison import FEWEST_UNITS, adjusted_rand, likelihood_ratio, nested, vuong
from em_cli.inference.matching import Matching, matched
from em_cli.inference.reported import errors_of_components
from em_cli.models.alternatives import DENSITIES
from em_cli.options import ReadingOptions
from em_cli.outputs.manifest import to_json
from em_cli.outputs.model_file import LoadedModel, read_model
from em_cli.outputs.tables import csv_text
from em_cli.postestimation.compared_sums import PairSums, RunSums, Sums
from em_cli.postestimation.judged_rows import Judge, JudgedData

MOST_NATS = 700  # of which the exponential is a number


FILES = ("compare.csv", "matched.csv", "rows.csv", "compare.json")
IN_ERRORS = "difference_in_errors"
OF_RUNS = (
    "run", "family", "structure", "n_components", "n_parameters", "log_likelihood", "bic", "delta_bic", "bayes_factor",
    "mean_log_density", "entropy_r2", "smallest_weight",
)  # fmt: skip
OF_MATCHED = (
    "first_run", "second_run", "first", "second", "distance", "weight_first", "weight_second", "column", "mean_first",
    "mean_second", IN_ERRORS,
)  # fmt: skip
OF_ROWS = ("component_first", "component_second", "second_is", "probability_first", "probability_second")


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """What there is to say of several runs, and the rows that moved between any two of them."""

    document: Comparison
    key: str  # of the rows
    moved: Iterator[dict[str, Any]]

    def files(self) -> dict[str, Iterator[str]]:
        """A line for each run, for each mean of matched components, for each row that moved."""
        matches = [
            {"first_run": pair["first"], "second_run": pair["second"]} | match | mean
            for pair in self.document["pairs"]
            for match in pair["matched"]
            for mean in [_flat(mean) for mean in match["means"]] or [_flat({})]
        ]
        return {
            FILES[0]: csv_text(OF_RUNS, self.document["runs"]),
            FILES[1]: csv_text(OF_MATCHED, matches),
            FILES[2]: csv_text(("first_run", "second_run", self.key, *OF_ROWS), self.moved),
            FILES[3]: iter([to_json(self.document)]),
        }


def _flat(mean: Mapping[str, object]) -> dict[str, object]:
    names = {"column": "column", "mean_first": "first", "mean_second": "second"}
    return {name: mean.get(key) for name, key in (names | {IN_ERRORS: IN_ERRORS}).items()}


def compared(runs: Sequence[str], data: Sequence[str], reading: ReadingOptions) -> Compared:
    """What there is to say of several runs."""
    if len(runs) < 2:
        raise UsageError("em compare needs at least two runs: em compare first.em second.em.")
    loaded = [read_model(run) for run in runs]
    names = _names(runs)
    same = len({model.document.get("data_sha256") for model in loaded}) == 1
    if not (same or data):
        raise UsageError(
            "these runs were fitted to different data, of which densities cannot be compared: --data FILE names rows "
            "that all of them are to be judged by."
        )
    columns = {model.document.get("weight_column") for model in loaded}
    weighed = columns.pop() if len(columns) == 1 and not data else None
    judges = [Judge(*one) for one in zip(names, loaded, strict=True)]
    rows = JudgedData(judges, runs, data, reading, weighed)
    sums = Sums.over(rows.pieces())
    if not sums.n_rows:
        raise DataError("there is no row that all of these models can judge.")
    comparable = same and len({_likelihood_of(model) for model in loaded}) == 1
    pairs, renamed = [], []
    for (one, other), own in sums.pairs.items():
        a, b = judges[one], judges[other]
        pair, names_in_first = _pair(a, b, own, _no_vuong(a, b, own, bool(data)), sums.whole)
        pair["likelihood_ratio"] = _likelihood_ratio(a, b) if comparable else None
        pairs.append(pair)
        renamed.append(names_in_first)
    document: Comparison = {
        "same_data": same,
        "comparable": comparable,
        "n_rows": int(sums.runs[0].weight) if judges[0].frequencies and sums.whole else sums.n_rows,
        "runs": _runs(judges, sums.runs, comparable),
        "pairs": pairs,
    }
    moved = (_moved(rows, *pair, own, sums.key) for pair, own in zip(sums.pairs, renamed, strict=True))
    return Compared(document, sums.key, chain.from_iterable(moved))


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


def _densities_compare(first: Judge, second: Judge) -> bool:
    """Whether both are densities of the same columns, counts and numbers alike."""
    a, b = first.loaded, second.loaded
    kinds = [sorted((c.name, bool(c.levels), c.type == "count") for c in one.schema.columns) for one in (a, b)]
    return kinds[0] == kinds[1] and _response(a) == _response(b)


def _runs(judges: Sequence[Judge], sums: Sequence[RunSums], comparable: bool) -> list[ComparedRun]:
    known = [one.loaded.document.get("bic") for one in judges]  # a variational fit has none
    bics = [np.nan if bic is None else float(bic) for bic in known]
    best = min((bic for bic in bics if isfinite(bic)), default=np.nan)
    made = list[ComparedRun]()
    for one, own, bic in zip(judges, sums, bics, strict=True):
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
                "mean_log_density": own.log_density / own.weight,
                "entropy_r2": own.entropy_r2(document["n_components"]),
                "smallest_weight": float(min(document["weights"])),
            }
        )
    return made


def _no_vuong(first: Judge, second: Judge, sums: PairSums, other_rows: bool) -> str | None:
    """Why Vuong's test does not hold for two runs, in words that follow "because"; None if it does."""
    for one in (first, second):
        if not _at_maximum(one.loaded.document):
            return f"{one.name} is not at a maximum of the likelihood"
        if one.loaded.document.get("weight_column") is not None:
            return "the rows are weighted"
    if sums.of_units is not None and sums.of_units.n < FEWEST_UNITS:
        return f"rows depend on each other, and there are fewer than {FEWEST_UNITS} sequences or groups"
    if other_rows:
        return "these may be other rows than those fitted, which are owed no penalty"
    held = [
        f"{narrow.name} is {wide.name} with parameters held"
        for narrow, wide in ((first, second), (second, first))
        if _within(narrow.loaded, wide.loaded)
    ]
    return None if not held else held[0] if len(held) == 1 else "both are of one model"


def _at_maximum(document: Mapping[str, object]) -> bool:
    """Of the likelihood."""
    return (document.get("prior"), document.get("objective"), document.get("converged")) == ("none", None, True)


def _within(narrow: LoadedModel, wide: LoadedModel) -> bool:
    """Whether one mixture is another with parameters held, such as one of fewer components."""
    own, others = narrow.document, wide.document
    alike = all(own.get(key) == others.get(key) for key in ("family", "family_options", "groups"))
    one, other = str(own.get("structure")), str(others.get("structure"))
    fewer = narrow.model.n_components <= wide.model.n_components
    labels = own["latent"] in (others["latent"], *wide.model.latent.includes)
    return alike and fewer and labels and (one == other or nested(one, other))


def _pair(
    first: Judge, second: Judge, sums: PairSums, no_vuong: str | None, whole: bool
) -> tuple[ComparedPair, Integers]:
    """What there is to say of two runs; and which component (L,) of the first each of the second is, or -1."""
    a, b, densities_compare = first.loaded, second.loaded, _densities_compare(first, second)
    found = matched(sums.likeness.distances if densities_compare else sums.disagreement)
    more = a.model.n_parameters - b.model.n_parameters
    test = vuong(sums.gains, sums.of_units, more, first.frequencies) if densities_compare else None
    renamed = np.full(b.model.n_components, -1)
    renamed[found.second] = found.first
    counts = sums.weights if first.frequencies and whole else sums.rows
    stayed = counts[found.first, found.second].sum()
    told: ComparedPair = {
        "first": first.name,
        "second": second.name,
        "mean_difference": test.mean if test else None,
        "standard_error": test.standard_error if test else None,
        "vuong_z": test.z if test and isfinite(test.z) and no_vuong is None else None,
        "vuong_withheld": no_vuong if test else None,
        "adjusted_rand": adjusted_rand(sums.weights),
        "n_rows_moved": int(counts.sum() - stayed),
        "margin": found.margin if isfinite(found.margin) else None,
        "ambiguous": found.ambiguous,
        "matched": list(_matched(a, b, found, densities_compare)),
        "unmatched_first": _left(a, found.first),
        "unmatched_second": _left(b, found.second),
        "likelihood_ratio": None,
    }
    return told, renamed


def _likelihood_ratio(first: Judge, second: Judge) -> NestedTest | None:
    """The test where it is regular: as many components of one family, of nested covariance structures."""
    for narrow, wide in ((first, second), (second, first)):
        one, other = narrow.loaded.document, wide.loaded.document
        alike = _at_maximum(one) and _at_maximum(other)
        alike = alike and all(
            one.get(key) == other.get(key) for key in ("family", "n_components", "latent", "family_options", "groups")
        )
        if alike and nested(str(one.get("structure")), str(other.get("structure"))):
            df = wide.loaded.model.n_parameters - narrow.loaded.model.n_parameters
            found = likelihood_ratio(one["log_likelihood"], other["log_likelihood"], df)
            if found is None:
                return None
            told = {"within": one["structure"], "wider": other["structure"], **asdict(found)}
            return known_as(NestedTest, told)
    return None


def _moved(rows: JudgedData, one: int, other: int, renamed: Integers, called: str) -> Iterator[dict[str, object]]:
    """The rows whose likeliest component is not the one that matches: how probable either is in the two runs."""
    names = {"first_run": rows.judges[one].name, "second_run": rows.judges[other].name}
    for _, judged in rows.pieces():
        first, second = judged[one], judged[other]
        of_first, of_second = first.component, second.component
        places = np.flatnonzero(renamed[of_second] != of_first)
        for place, key in zip(places.tolist(), first.keys[places].tolist(), strict=True):
            k, other_k = int(of_first[place]), int(of_second[place])
            yield {
                **names,
                called: key,
                "component_first": k + 1,
                "component_second": other_k + 1,
                "second_is": int(renamed[other_k]) + 1 if renamed[other_k] >= 0 else None,
                "probability_first": float(first.responsibilities[k, place]),
                "probability_second": float(second.responsibilities[other_k, place]),
            }


def _left(loaded: LoadedModel, taken: Integers) -> list[int]:
    return [k + 1 for k in range(loaded.model.n_components) if k not in taken]


def _matched(a: LoadedModel, b: LoadedModel, found: Matching, kl: bool) -> Iterator[MatchedPair]:
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


def _errors(document: Mapping[str, object], place: int) -> Mapping[str, float | None]:
    """Of the means of a component."""
    found = errors_of_components(document, place + 1)
    return found[place].get("mean", {}) if found else {}


def _in_errors(x: float, y: float, name: str, errors: Sequence[Mapping[str, float | None]]) -> float | None:
    """The difference of two means in pooled standard errors: a scale, not a test, as both are of the same rows."""
    one, other = (own.get(name) for own in errors)
    return (x - y) / sqrt((one**2 + other**2) / 2) if one and other else None
