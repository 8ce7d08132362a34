"""What a fit of topics says in the end, on a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from em_cli.display.closing import Beside, tell_end
from em_cli.display.heading import tell_heading
from em_cli.display.search_words import number, trust
from em_cli.display.text import counted, nats
from em_cli.display.text_page import Page
from em_cli.documents.topics_json import TopicParams
from em_cli.printable import safe

MOST_TOPICS = 40
NAMES = {"elbo": "ELBO", "completion": "completion"}


def topics_summary(document: TopicParams, beside: Beside) -> str:
    """The summary of topics from their document."""
    page = beside.page()
    tell_heading(page, f"Topics, k = {document.get('n_components')}", document, beside.read_line)
    _table(page, [one for one in document.get("topics") or () if isinstance(one, Mapping)])
    page.blank()
    _figures(page, document)
    page.words(stable(document))
    if sentence := trust(document):
        page.words(sentence)
    tell_end(page, beside)
    return page.text()


def topics_read_line(document: TopicParams) -> str:
    """What the topics were fitted to."""
    documents, terms, tokens = (
        int(number(document.get(f"n_{what}")) or 0) for what in ("documents", "terms", "tokens")
    )
    return f"{counted(documents, 'document')}; {counted(terms, 'term')}, {counted(tokens, 'token')}"


def _table(page: Page, topics: Sequence[Mapping[str, object]]) -> None:
    """Share, coherence and top terms of each topic, as many as the page holds."""
    rows = [
        [str(one.get("topic")), f"{number(one.get('share')) or 0:.1%}", _coherence(one), _terms(one)]
        for one in topics[:MOST_TOPICS]
    ]
    page.table(["topic", "share", "npmi", "top terms"], rows, (0, 1, 2))
    if len(topics) > MOST_TOPICS:
        page.flow([f"… and {counted(len(topics) - MOST_TOPICS, 'more topic')} in topics.csv"], style="dim")


def _coherence(topic: Mapping[str, object]) -> str:
    value = number(topic.get("npmi"))
    return "" if value is None else f"{value:.2f}"


def _terms(topic: Mapping[str, object]) -> str:
    terms = topic.get("top_terms")
    return ", ".join(safe(str(term)) for term in terms) if isinstance(terms, list) else ""


def _figures(page: Page, document: TopicParams) -> None:
    elbo, per_token = number(document.get("elbo")), number(document.get("elbo_per_token"))
    alpha = document.get("alpha")
    total = sum(number(one) or 0.0 for one in alpha) if isinstance(alpha, list) else 0.0
    how = "learned" if document.get("alpha_learned") else "as given"
    parts = [f"ELBO {nats(elbo)}"] if elbo is not None else []
    parts += [f"per token {per_token:.4f}"] if per_token is not None else []
    page.flow([*parts, f"sum of alpha {total:.3g} ({how})", f"eta {document.get('eta')}"])


def stable(document: TopicParams) -> str:
    """How many topics the next best end has too."""
    found, k = document.get("runner_up"), document.get("n_components")
    if not isinstance(found, Mapping):
        return "no other end of the search that came near this bound has other topics" if k != 1 else ""
    elbo, best = number(found.get("elbo")), number(document.get("elbo"))
    below = f", {best - elbo:.1f} below," if elbo is not None and best is not None else ""
    return f"the runner-up{below} has {found.get('matching')} of these {k} topics (cosine 0.9)"


def sweep_summary(rows: Sequence[Mapping[str, object]], criterion: str, beside: Beside) -> str:
    """The table of several numbers of topics, in their order; which was chosen, by what."""
    page = beside.page()
    page.words(beside.read_line, indent="", style="dim")
    page.blank()
    headings = ["k", "completion", "perplexity", "ELBO", "npmi", "runner-up has", "note"]
    cells = [
        [
            str(row["k"]),
            _shown(row["completion"], 4),
            _shown(row["perplexity"], 1),
            _shown(row["elbo"], 2),
            _shown(row["npmi"], 2),
            "" if row["matching"] is None else f"{row['matching']} of {row['k']}",
            str(row["note"]),
        ]
        for row in rows
    ]
    chosen = next(row for row in rows if str(row["note"]).startswith("chosen"))
    page.table(headings, cells, range(6), ["green" if row is chosen else "" for row in rows])
    page.blank()
    why = "the highest log-probability of held-out tokens" if criterion == "completion" else "the highest bound"
    page.words(f"k = {chosen['k']} is the smallest within a nat of {why} (--criterion {criterion}).", indent="")
    tell_end(page, beside)
    return page.text()


def _shown(value: object, decimals: int) -> str:
    found = number(value)
    return "" if found is None else f"{found:.{decimals}f}"
