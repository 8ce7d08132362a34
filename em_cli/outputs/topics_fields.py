"""What stands in the `params.json` of topics."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from em_cli.outputs.described import SOMETIMES, Described, says
from em_cli.outputs.found_fields import FoundFields, SearchFields


class TopicFields(Described):
    """What makes the model, and is needed to read it."""

    format: Annotated[str, says("em.topics"), Field(json_schema_extra={"const": "em.topics"})]
    schema_version: Annotated[int, says("1; raised where a field changes its meaning")]
    latent: Annotated[str, says("topics")]
    n_components: Annotated[int, Field(ge=1, le=1_000_000), says("K, the number of topics")]
    terms: Annotated[list[str], Field(min_length=1), says("V terms, in the order of their names")]
    alpha: Annotated[list[float], says("of the Dirichlet law of the shares of topics in a document")]
    alpha_learned: Annotated[bool, says("whether alpha was fitted; else all of it is as given")]
    eta: Annotated[float, Field(gt=0), says("of the Dirichlet prior of the terms of a topic")]
    concentration: Annotated[list[list[float]], Field(alias="lambda"), says("K × V: posterior of the terms of topics")]
    corpus: Annotated[dict[str, Any], says("how documents were read: document, term, count, text, stop_words")]
    reading: Annotated[dict[str, Any], says("how the data were read, where it was not by the defaults"), SOMETIMES] = (
        Field(default_factory=dict)
    )

    @model_validator(mode="after")
    def _shapes(self) -> TopicFields:
        k, v = self.n_components, len(self.terms)
        if len(set(self.terms)) < v:
            raise ValueError("a term stands there twice")
        if len(self.alpha) != k or min(self.alpha) <= 0:
            raise ValueError(f"alpha must be {k} numbers above 0")
        if len(self.concentration) != k or any(len(row) != v or min(row) <= 0 for row in self.concentration):
            raise ValueError(f"lambda must be {k} lists of {v} numbers above 0")
        return self


class OneTopic(Described):
    """A topic, the largest first."""

    topic: Annotated[int, says("its number, from 1")]
    share: Annotated[float, says("of all tokens")]
    tokens: Annotated[float, says("expected")]
    n_documents: Annotated[int, says("of which it is the largest")]
    top_terms: Annotated[list[str], says("likeliest first")]
    u_mass: Annotated[float, says("coherence of Mimno et al. (2011), of its top ten terms; 0 is the highest")]
    npmi: Annotated[float, says("coherence by normalised mutual information, between -1 and 1")]
    runner_up_cosine: Annotated[float | None, says("to the topic of the next best end that matches it")]
    found_again: Annotated[int | None, says("in how many of the other ends there is one like it (cosine 0.9)")]


class RunnerUp(Described):
    """The next best end of the search, another optimum within 0.5 % of the bound."""

    elbo: Annotated[float, says("its bound")]
    matching: Annotated[int, says("topics that are like those of the best (cosine 0.9)")]
    others: Annotated[int, says("ends of the search that found_again counts")]


class TopicParams(FoundFields, TopicFields):
    """Topics of documents: params.json, and what em fit --latent topics --json prints."""

    topic_word: Annotated[list[list[float]], says("K × V: expected probability of each term in each topic")]
    topics: Annotated[list[OneTopic], says("each in short")]
    n_documents: Annotated[int, says("fitted")]
    n_empty_documents: Annotated[int, says("without a token, not fitted")]
    n_terms: Annotated[int, says("V")]
    n_tokens: Annotated[float, says("of all documents")]
    elbo: Annotated[float, says("lower bound of the log evidence, natural logarithm, all constants included")]
    elbo_per_token: Annotated[float, says("the same, divided by the tokens")]
    log_likelihood: Annotated[None, says("null: it has no closed form, and the bound is none")]
    runner_up: Annotated[RunnerUp | None, says("null if no other optimum is within 0.5 % of the bound")]
    search: Annotated[SearchFields, says("how the fit was found; its heights are bounds")]
    start: Annotated[str, says("auto, or given")]
    criterion: Annotated[str, says("by which the model was chosen (em select --json)"), SOMETIMES] = ""
    selection: Annotated[list[dict[str, Any]], says("every number tried (em select --json)"), SOMETIMES] = Field(
        default_factory=list
    )
