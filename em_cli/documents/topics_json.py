"""What stands in the `params.json` of topics."""

from __future__ import annotations

from typing import Annotated, NotRequired, TypedDict

from em_cli.documents.found import FoundFields, SearchFields

Lambda = TypedDict("Lambda", {"lambda": Annotated[list[list[float]], "K × V: posterior of the terms of topics"]})


class TopicFields(Lambda):
    """What makes the model, and is needed to read it."""

    format: Annotated[str, "em.topics", {"json_schema_extra": {"const": "em.topics"}}]
    schema_version: Annotated[int, "1; raised where a field changes its meaning"]
    latent: Annotated[str, "topics"]
    n_components: Annotated[int, "K, the number of topics", {"ge": 1, "le": 1_000_000}]
    terms: Annotated[list[str], "V terms, in the order of their names", {"min_length": 1}]
    alpha: Annotated[list[float], "of the Dirichlet law of the shares of topics in a document"]
    alpha_learned: Annotated[bool, "whether alpha was fitted; else all of it is as given"]
    eta: Annotated[float, "of the Dirichlet prior of the terms of a topic", {"gt": 0}]
    corpus: Annotated[dict[str, object], "how documents were read: document, term, count, text, stop_words"]
    reading: NotRequired[Annotated[dict[str, object], "how the data were read, where it was not by the defaults"]]


class OneTopic(TypedDict):
    """A topic, the largest first."""

    topic: Annotated[int, "its number, from 1"]
    share: Annotated[float, "of all tokens"]
    tokens: Annotated[float, "expected"]
    n_documents: Annotated[int, "of which it is the largest"]
    top_terms: Annotated[list[str], "likeliest first"]
    u_mass: Annotated[float, "coherence of Mimno et al. (2011), of its top ten terms; 0 is the highest"]
    npmi: Annotated[float, "coherence by normalised mutual information, between -1 and 1"]
    runner_up_cosine: Annotated[float | None, "to the topic of the next best end that matches it"]
    found_again: Annotated[int | None, "in how many of the other ends there is one like it (cosine 0.9)"]


class RunnerUp(TypedDict):
    """The next best end of the search, another optimum within 0.5 % of the bound."""

    elbo: Annotated[float, "its bound"]
    matching: Annotated[int, "topics that are like those of the best (cosine 0.9)"]
    others: Annotated[int, "ends of the search that found_again counts"]


class TopicParams(TopicFields, FoundFields):
    """Topics of documents: params.json, and what em fit --latent topics --json prints."""

    topic_word: Annotated[list[list[float]], "K × V: expected probability of each term in each topic"]
    topics: Annotated[list[OneTopic], "each in short"]
    n_documents: Annotated[int, "fitted"]
    n_empty_documents: Annotated[int, "without a token, not fitted"]
    n_terms: Annotated[int, "V"]
    n_tokens: Annotated[float, "of all documents"]
    elbo: Annotated[float, "lower bound of the log evidence, natural logarithm, all constants included"]
    elbo_per_token: Annotated[float, "the same, divided by the tokens"]
    log_likelihood: Annotated[None, "null: it has no closed form, and the bound is none"]
    runner_up: Annotated[RunnerUp | None, "null if no other optimum is within 0.5 % of the bound"]
    search: Annotated[SearchFields, "how the fit was found; its log-likelihoods are bounds"]
    start: Annotated[str, "auto, or given"]
    criterion: NotRequired[Annotated[str, "by which the model was chosen (em select --json)"]]
    selection: NotRequired[Annotated[list[dict[str, object]], "every number tried (em select --json)"]]
