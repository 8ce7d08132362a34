"""What a fit of haplotypes says in the end, on a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from em_cli.display.closing import Beside, tell_end
from em_cli.display.heading import tell_heading
from em_cli.display.search_words import number, trust
from em_cli.display.text import counted, nats
from em_cli.display.text_page import Page
from em_cli.documents.haplotypes_json import HaplotypeParams, OneHaplotype
from em_cli.printable import safe

MOST = 20  # haplotypes that are shown
FEWEST = 0.5  # copies of one that is shown


def haplotypes_summary(document: HaplotypeParams, beside: Beside) -> str:
    """The summary of haplotypes from their document."""
    page = beside.page()
    found = [one for one in document.get("haplotypes") or () if isinstance(one, Mapping)]
    tell_heading(page, counted(len(found), "haplotype"), document, beside.read_line)
    _table(page, found, document.get("loci"), document.get("alleles"))
    page.blank()
    _figures(page, document)
    if sentence := trust(document):
        page.words(sentence)
    tell_end(page, beside)
    return page.text()


def haplotypes_read_line(document: HaplotypeParams) -> str:
    """What the haplotypes were fitted to."""
    individuals, genotypes = (number(document.get(f"n_{what}")) or 0.0 for what in ("individuals", "genotypes"))
    loci = document.get("loci")
    n = len(loci) if isinstance(loci, list) else 0
    return f"{individuals:,.15g} individuals, {counted(int(genotypes), 'genotype')} at {n} loci"


def _table(
    page: Page, haplotypes: Sequence[OneHaplotype], loci: Sequence[str], alleles: Sequence[Sequence[str]] | None
) -> None:
    """Frequency and expected copies of the commonest."""
    shown = [one for one in haplotypes[:MOST] if (number(one.get("copies")) or 0.0) >= FEWEST] or haplotypes[:1]
    rows = [
        [
            safe(str(one.get("haplotype"))),
            f"{number(one.get('frequency')) or 0:.4f}",
            f"{number(one.get('copies')) or 0:.1f}",
        ]
        for one in shown
    ]
    page.table(["haplotype", "frequency", "copies"], rows, (1, 2))
    if len(haplotypes) > len(shown):
        page.flow([f"… and {counted(len(haplotypes) - len(shown), 'rarer one')} in haplotypes.csv"], style="dim")
    if isinstance(loci, list):
        page.words(f"alleles {_at(loci, alleles)}", style="dim")


def _at(loci: Sequence[str], alleles: Sequence[Sequence[str]] | None) -> str:
    """Which alleles there are, of each locus where they have names."""
    names = [safe(str(name)) for name in loci]
    if not isinstance(alleles, list) or len(alleles) != len(names):
        return f"0 and 1 at {', '.join(names)}"
    pairs = (" or ".join(map(str, pair)) if isinstance(pair, list) else "?" for pair in alleles)
    return ", ".join(f"{safe(pair)} at {name}" for pair, name in zip(pairs, names, strict=True))


def _figures(page: Page, document: HaplotypeParams) -> None:
    own, alone = number(document.get("log_likelihood")), number(document.get("log_likelihood_equilibrium"))
    parts = [f"loglik {nats(own)}"] if own is not None else []
    parts += [f"{nats(alone)} were the loci independent"] if alone is not None else []
    page.flow(parts)
