"""The rows that a model finds unlikely: their tail probabilities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from em_cli.engine import patterns
from em_cli.engine.arrays import Array, Integers
from em_cli.engine.tail_probability import Densities, Tails, tail_probabilities
from em_cli.errors import UsageError
from em_cli.options import ReadingOptions
from em_cli.outputs.manifest import read_manifest
from em_cli.outputs.model_file import LoadedModel
from em_cli.outputs.tables import csv_text
from em_cli.runs.plotted_rows import data_files
from em_cli.runs.remembered import KEYS
from em_cli.runs.row_scores import scored_chunks
from em_cli.sources.quoting import listed, quoted

SMALLEST_ALPHA = 1e-6  # that draws can tell


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """The rows of some files and how unlikely each is."""

    key: str  # "row", or the name of the id
    n_read: int  # rows, of which some may have no density
    rows: Integers  # (n,) places of the others among all
    ids: NDArray[np.object_] | None  # (n,) if rows have them: else they are called by their numbers from 1
    log_density: Array  # (n,)
    component: Integers  # (n,) the likeliest, from 1; 0 is none
    tails: Tails

    def least_likely(self, alpha: float | None) -> Iterator[dict[str, object]]:
        """Those of a probability of at most alpha, or all, the least likely first."""
        tail = self.tails.probability
        places = np.arange(len(tail)) if alpha is None else np.flatnonzero(tail <= alpha)
        order = places[np.lexsort((self.rows[places], self.log_density[places], tail[places]))]
        for place in order.tolist():
            yield {
                self.key: int(self.rows[place]) + 1 if self.ids is None else self.ids[place],
                "tail_probability": float(self.tails.probability[place]),
                "log_density": float(self.log_density[place]),
                "component": int(self.component[place]),
            }

    def lines(self, alpha: float | None) -> Iterator[str]:
        """The same as CSV."""
        yield from csv_text((self.key, "tail_probability", "log_density", "component"), self.least_likely(alpha))

    def document(self, alpha: float, every: bool, seed: int) -> dict[str, object]:
        n = len(self.rows)
        return {
            "alpha": alpha,
            "method": "sampling" if self.tails.draws else "exact",
            "draws": self.tails.draws or None,
            "random_state": seed if self.tails.draws else None,
            "n_rows_read": self.n_read,
            "n_rows": n,
            "n_outliers": self.n_outliers(alpha),
            "n_expected": alpha * n,
            "rows": list(self.least_likely(None if every else alpha)),
        }

    def n_outliers(self, alpha: float) -> int:
        return int((self.tails.probability <= alpha).sum())

    def summary(self, alpha: float) -> str:
        """In a sentence."""
        n, draws = len(self.rows), self.tails.draws
        how = f"by {draws:,} draws" if draws else "exact"
        expected = f"{alpha * n:,.0f}" if alpha * n >= 10 else f"{alpha * n:.2g}"
        return (
            f"{self.n_outliers(alpha):,} of {n:,} rows have a tail probability of at most {alpha:g} ({how}); "
            f"about {expected} are to be expected under the model."
        )


def own_data(run: str, reading: ReadingOptions) -> tuple[list[str], ReadingOptions]:
    """The files that a run folder was fitted to, and what columns were to them, unless the options say otherwise; how
    their cells were read, the model remembers."""
    home = Path(run)
    if not home.is_dir():
        raise UsageError(f"{run} does not say which data it was fitted to: name them behind it.")
    manifest = read_manifest(home)
    asked = manifest.get("config", {}).get("data", {})
    given = {field.name: getattr(reading, field.name) for field in fields(reading)}
    own = {
        name: asked.get(name) if value in (None, []) and name not in KEYS else value for name, value in given.items()
    }
    return data_files(manifest, home), ReadingOptions(**own)


def judged(loaded: LoadedModel, paths: Sequence[str], reading: ReadingOptions, alpha: float, seed: int) -> Judged:
    """The rows of these files under a model."""
    _check(loaded, alpha)
    n_read, key, ids = 0, "row", list[NDArray[np.object_]]()
    rows, densities, components, codes = list[Integers](), list[Array](), list[Integers](), list[Array]()
    for chunk, scores in scored_chunks(loaded, paths, reading):
        key = chunk.id_name or key
        if chunk.ids is not None:
            ids.append(np.array(chunk.ids, dtype=object)[chunk.rows])
        rows.append(n_read + chunk.rows)
        densities.append(scores.log_density)
        components.append((scores.responsibilities.argmax(axis=0) + 1) % (loaded.model.n_components + 1))
        codes.append(patterns.codes(chunk.x))
        n_read += chunk.n_rows
    if not any(map(len, rows)):
        none = np.empty(0)
        return Judged(key, n_read, none.astype(int), None, none, none.astype(int), Tails(none, 0))
    seen = Densities.of(np.concatenate(densities), np.concatenate(codes, axis=1), len(loaded.schema.columns))
    ready = loaded.with_gaps if seen.patterns.any() else loaded
    tails = tail_probabilities(ready.model, ready.parameters, seen, alpha, seed)
    called = np.concatenate(ids) if ids else None
    likeliest = np.concatenate(components)
    return Judged(key, n_read, np.concatenate(rows), called, seen.log_density, likeliest, tails)


def _check(loaded: LoadedModel, alpha: float) -> None:
    """`UsageError` if the rows of the model have no tail probabilities, or none that could be told."""
    if not SMALLEST_ALPHA <= alpha < 1:
        raise UsageError(f"--alpha must be from {SMALLEST_ALPHA:g} up and below 1, not {alpha:g}.")
    if loaded.model.latent.needs_groups:
        raise UsageError(
            f"rows of latent structure {loaded.document['latent']!r} depend on each other: no row has a probability of "
            "its own. em score --rows gives their log-densities."
        )
    if loaded.told and not loaded.response:
        raise UsageError(
            f"the density of a row is one given {listed(loaded.told)}, which the model does not describe: rows have no "
            "common measure of how unlikely they are. em score --rows gives their log-densities."
        )
    if loaded.response:
        raise UsageError(
            f"the density of {loaded.response!r} is one given other columns, which the model does not describe: rows "
            "have no common measure of how unlikely they are. em score --rows gives their log-densities."
        )
    for group in loaded.groups:
        support = group.build(loaded.schema, "").support
        for place, column in enumerate(group.columns):
            if support is not None and support.beside(place) != ():
                raise UsageError(
                    f"the density of column {quoted(loaded.schema.names[column])} (family {group.family!r}) is one "
                    "given totals that the model does not describe: rows of different totals have no common measure "
                    "of how unlikely they are. em score --rows gives their log-densities."
                )
