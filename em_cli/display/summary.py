"""What a run says in the end, on a terminal."""

from __future__ import annotations

from collections.abc import Mapping

from em_cli.display.certainty_words import words_of_certainty
from em_cli.display.chain_table import chain
from em_cli.display.closing import Beside, tell_end
from em_cli.display.coefficient_table import coefficients
from em_cli.display.component_table import components
from em_cli.display.heading import tell_heading
from em_cli.display.posterior_table import posterior
from em_cli.display.search_words import number, trust
from em_cli.display.selection_summary import selection_summary
from em_cli.display.text import nats
from em_cli.display.text_page import Page
from em_cli.families import FAMILIES
from em_cli.latents import LATENTS
from em_cli.printable import safe

__all__ = ["fit_summary", "selection_summary"]

CERTAIN = 0.999  # a probability that goes without saying


def fit_summary(document: Mapping[str, object], beside: Beside, least_certain: tuple[str, float] | None = None) -> str:
    """The summary of a fit from its document; `least_certain` is a row's name and its largest probability."""
    page = beside.page()
    tell_heading(page, _title(document), document, beside.read_line)
    components(page, document)
    coefficients(page, document)
    for sentence in words_of_certainty(document):
        page.words(sentence, style="dim")
    posterior(page, document)
    chain(page, document)
    page.blank()
    _figures(page, document)
    _last_words(page, document, least_certain)
    tell_end(page, beside)
    return page.text()


def _title(document: Mapping[str, object]) -> str:
    return f"{mixture_name(document)}, k = {safe(str(document.get('n_components')))}"


def mixture_name(document: Mapping[str, object]) -> str:
    """What is mixed, and the structure of its covariances."""
    family = str(document.get("family", ""))
    if document.get("groups"):
        title = f"{' × '.join(_families(document))} mixture"
    else:
        known = FAMILIES.knows(family)  # a document may come from where there are others
        title = FAMILIES.load(family).title if known else f"{family.replace('_', ' ')} mixture"
    latent = str(document.get("latent"))
    if LATENTS.knows(latent) and (model := LATENTS.load(latent).title):
        title = f"{' × '.join(_families(document))} {model}"
    title = title[:1].upper() + title[1:]
    structure, covariance = document.get("structure"), document.get("covariance_type")
    named = [str(structure)] if structure else []
    both = " ".join([*named, *([f"({covariance})"] if covariance not in (None, "", structure) else [])])
    return safe(", ".join([title, *([both] if both else [])]))


def _families(document: Mapping[str, object]) -> list[str]:
    """Of all groups of columns, each once."""
    groups = document.get("groups")
    several = [group for group in groups if isinstance(group, Mapping)] if isinstance(groups, list) else []
    return list(dict.fromkeys(str(own.get("family", "")).replace("_", " ") for own in several or [document]))


def _figures(page: Page, document: Mapping[str, object]) -> None:
    if document.get("inference") == "variational":
        _evidence(page, document)
        return
    log_likelihood, n = number(document.get("log_likelihood")), number(document.get("n_parameters"))
    parts = [f"log-likelihood {nats(log_likelihood)}"] if log_likelihood is not None else []
    page.flow(parts + ([f"parameters {int(n)}"] if n is not None else []))
    for name in ("classification_log_likelihood", "inertia"):
        if (value := number(document.get(name))) is not None:
            page.flow([f"{name.replace('_log_', ' log-')} {nats(value)}"])
    values = {name: number(document.get(name.lower())) for name in ("BIC", "AIC", "ICL")}
    parts = [f"{name} {nats(value)}" for name, value in values.items() if value is not None]
    page.flow([*parts, "(lower is better)"] if parts else [])


def _evidence(page: Page, document: Mapping[str, object]) -> None:
    """Of a variational fit: criteria that count parameters at a maximum of the likelihood mean nothing there."""
    parts = [("evidence lower bound (ELBO)", "elbo"), ("log-density of the rows, predictive", "log_likelihood")]
    values = [(name, number(document.get(key))) for name, key in parts]
    page.flow([f"{name} {nats(value)}" for name, value in values if value is not None])
    bearing, k = number(document.get("effective_components")), number(document.get("n_components"))
    if bearing is not None and k is not None:
        page.flow([f"{int(bearing)} of {int(k)} components bear rows"])


def _last_words(page: Page, document: Mapping[str, object], least_certain: tuple[str, float] | None) -> None:
    sentence = trust(document)
    if least_certain and least_certain[1] < CERTAIN:
        row, p = least_certain
        sentence += f"{'; ' if sentence else ''}least certain row: {row} (p = {p:.2f})"
    if sentence:
        page.words(sentence)
