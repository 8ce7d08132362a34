"""The rows that a model finds unlikely: their tail probabilities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from em_cli.engine import patterns
from em_cli.engine.arrays import Array
from em_cli.engine.tail_probability import Densities, reference, tail_probabilities
from em_cli.errors import UsageError
from em_cli.options import ReadingOptions
from em_cli.outputs.manifest import read_manifest
from em_cli.outputs.model_file import LoadedModel
from em_cli.outputs.tables import csv_text
from em_cli.postestimation.rows_aside import RowsAside, SomeRows
from em_cli.runs.plotted_rows import data_files
from em_cli.runs.remembered import KEYS
from em_cli.runs.row_scores import scored_chunks
from em_cli.sources.quoting import listed, quoted

SMALLEST_ALPHA = 1e-6  # that draws can tell


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """The rows of some files that are to be listed, and how unlikely each is."""

    key: str  # "row", or the name of the id
    alpha: float
    n_read: int  # rows, of which some may have no density
    n_rows: int  # the others
    rows: list[SomeRows]
    tails: Array  # (n,)
    draws: int  # at most, of any row; 0 if the probabilities are exact

    @property
    def least_likely(self) -> Iterator[dict[str, object]]:
        """The least likely first."""
        if not self.rows:
            return
        places, log_density, component = (
            np.concatenate([getattr(some, name) for some in self.rows])
            for name in ("places", "log_density", "component")
        )
        ids = [some.ids for some in self.rows if some.ids is not None]
        called = np.concatenate(ids) if ids else places + 1
        for row in np.lexsort((places, log_density, self.tails)).tolist():
            yield {
                self.key: called[row] if ids else int(called[row]),
                "tail_probability": float(self.tails[row]),
                "log_density": float(log_density[row]),
                "component": int(component[row]),
            }

    def lines(self) -> Iterator[str]:
        """The same as CSV."""
        yield from csv_text((self.key, "tail_probability", "log_density", "component"), self.least_likely)

    def document(self, seed: int) -> dict[str, object]:
        return {
            "alpha": self.alpha,
            "method": "sampling" if self.draws else "exact",
            "draws": self.draws or None,
            "random_state": seed if self.draws else None,
            "n_rows_read": self.n_read,
            "n_rows": self.n_rows,
            "n_outliers": self.n_outliers,
            "n_expected": self.alpha * self.n_rows,
            "rows": list(self.least_likely),
        }

    @property
    def n_outliers(self) -> int:
        return int((self.tails <= self.alpha).sum())

    @property
    def summary(self) -> str:
        """In a sentence."""
        how = f"by {self.draws:,} draws" if self.draws else "exact"
        expected = self.alpha * self.n_rows
        about = f"{expected:,.0f}" if expected >= 10 else f"{expected:.2g}"
        return (
            f"{self.n_outliers:,} of {self.n_rows:,} rows have a tail probability of at most {self.alpha:g} ({how}); "
            f"about {about} are to be expected under the model."
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


def judged(
    loaded: LoadedModel, paths: Sequence[str], reading: ReadingOptions, alpha: float, seed: int, every: bool
) -> Judged:
    """The rows of these files of a tail probability of at most alpha under a model, or every one.

    What is known of rows waits in a file where it is much: only those that are listed are in memory.
    """
    _check(loaded, alpha)
    n_read, key = 0, "row"
    with RowsAside() as aside:
        for chunk, scores in scored_chunks(loaded, paths, reading):
            key = chunk.id_name or key
            ids = None if chunk.ids is None else np.array(chunk.ids, dtype=object)[chunk.rows]
            component = (scores.responsibilities.argmax(axis=0) + 1) % (loaded.model.n_components + 1)
            if len(chunk.rows):
                aside.put(n_read + chunk.rows, ids, scores.log_density, component, patterns.codes(chunk.x))
            n_read += chunk.n_rows
        rows, tails, draws = _judged(loaded, aside, alpha, seed, every)
    return Judged(key, alpha, n_read, aside.n_rows, rows, tails, draws)


def _judged(
    loaded: LoadedModel, aside: RowsAside, alpha: float, seed: int, every: bool
) -> tuple[list[SomeRows], Array, int]:
    """Those to be listed, their tail probabilities, and how many draws told them."""
    if not aside.n_rows:
        return [], np.empty(0), 0
    missing = aside.patterns(len(loaded.schema.columns))
    ready = loaded.with_gaps if missing.any() else loaded
    if every:
        rows = list(aside)
        log_density, pattern = (
            np.concatenate([getattr(some, name) for some in rows]) for name in ("log_density", "pattern")
        )
        seen = Densities(log_density, pattern, missing)
        tails = tail_probabilities(ready.model, ready.parameters, seen, alpha, seed)
        return rows, tails.probability, tails.draws
    compared = reference(ready.model, ready.parameters, missing, np.array(aside.lowest), alpha, seed)
    rows, found = list[SomeRows](), list[Array]()
    for some in aside:
        tails_of_some = compared.tails(some.log_density, some.pattern)
        unlikely = tails_of_some <= alpha
        rows.append(some.only(unlikely))
        found.append(tails_of_some[unlikely])
    return rows, np.concatenate(found), compared.draws


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
