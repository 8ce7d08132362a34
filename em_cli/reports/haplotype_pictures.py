"""The picture of haplotypes: their alleles and frequencies."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from em_cli.documents.haplotypes_json import HaplotypeParams
from em_cli.errors import UsageError
from em_cli.registry import did_you_mean
from em_cli.reports.kind import Picture
from em_cli.reports.style import Theme, short
from em_cli.sources.genotypes import alleles_of, coded

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KINDS = ("haplotypes",)
MOST = 24  # that are drawn
FEWEST = 0.5  # copies of one that is drawn


def haplotype_pictures(name: str, document: HaplotypeParams, kinds: Sequence[str] = ()) -> list[Picture]:
    """Those of these names, or all; `UsageError` has the nearest right name."""
    if unknown := [kind for kind in kinds if kind not in KINDS]:
        raise UsageError(f"of haplotypes there is no picture {unknown[0]!r}{did_you_mean(unknown[0], KINDS)}")
    found = document["haplotypes"]
    shown = [one for one in found[:MOST] if one["copies"] >= FEWEST] or found[:1]
    rows = [(str(one["haplotype"]), float(one["frequency"])) for one in shown]
    written = alleles_of(document["loci"], document.get("alleles"))
    dark = [coded(name, written) or [] for name, _ in rows]
    left = f" The {len(rows)} commonest of {len(found)}." if len(found) > len(rows) else ""
    caption = f"Frequencies of the haplotypes; dark cells are {_dark(document)}.{left}"
    alt = ", ".join(f"{alleles}: {p:.3f}" for alleles, p in rows)
    size = (6.4, min(1.4 + 0.3 * len(rows), 12.0))
    drawn = partial(_draw, rows, dark, [str(locus) for locus in document["loci"]])
    return [Picture("haplotypes", f"{name}: haplotypes", caption, alt, size, drawn)]


def _dark(document: HaplotypeParams) -> str:
    if not document.get("alleles"):
        return "the alleles that the genotypes count"
    pairs = zip(document["loci"], alleles_of(document["loci"], document["alleles"]), strict=True)
    return "the alleles " + ", ".join(f"{other} of {short(str(locus), 20)}" for locus, (_, other) in pairs)


def _draw(
    rows: Sequence[tuple[str, float]],
    dark: Sequence[Sequence[int]],
    loci: Sequence[str],
    figure: Figure,
    theme: Theme,
) -> None:
    cells, bars = figure.subplots(1, 2, sharey=True, width_ratios=(1, 2))
    colour = theme.mark(0, 1).colour
    for row, (_, p) in enumerate(rows):
        for place in np.flatnonzero(dark[row]).tolist():
            cells.barh(row, 0.86, 0.7, left=place - 0.43, color=colour)
        bars.barh(row, p, 0.7, color=colour)
        bars.annotate(f"{100 * p:.1f} %", (p, row), (5, 0), textcoords="offset points", va="center", fontsize=8)
    cells.set_xticks(range(len(loci)), [short(locus, 10) for locus in loci], rotation=90, fontsize=8)
    cells.set_xlim(-0.5, len(loci) - 0.5)
    cells.set_yticks(range(len(rows)), [alleles for alleles, _ in rows], fontsize=8)
    cells.set_ylim(len(rows) - 0.5, -0.5)
    for axes in (cells, bars):
        axes.tick_params(axis="y", length=0)
    bars.set_xlim(0, 1.2 * max(p for _, p in rows))
    bars.set_xlabel("frequency")
