"""Topics as they are asked for: what goes with them, and the models of some documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from em_cli.errors import DataError, UsageError
from em_cli.models.unsuited import Unsuited, refuse_unsuited
from em_cli.starts import STARTS

if TYPE_CHECKING:
    from em_cli.config.run_config import RunConfig
    from em_cli.latents.allocation.allocation import Allocation
    from em_cli.sources.corpus import Corpus
    from em_cli.sources.corpus_options import CorpusOptions

TOPICS = "topics"  # the name of the latent structure
CRITERIA_OF_TOPICS = ("completion", "elbo")
_NAMED = ("document", "term", "count", "text", "stop_words")
_UNITS = "documents are what belongs together here, and --document names them."
_COUNTS = "terms are counted, and --columns or --exclude tell which of them."
_POSTERIOR = "topics have a posterior; em show tells how stable they are from start to start."
_ALGORITHM = "it takes no steps along gradients: --algorithm squarem or em."

_REFUSED: tuple[Unsuited, ...] = (
    ("--weights", lambda c: c.data.weights, "every document counts once."),
    ("--labels", lambda c: c.data.labels, "topics have no names beforehand; --start FILE begins from given ones."),
    ("--type", lambda c: c.data.types, _COUNTS),
    ("--transform", lambda c: c.data.transforms, _COUNTS),
    ("--missing", lambda c: c.data.missing != "model", "counts are never missing; where a term is not, write 0."),
    ("--sequence", lambda c: c.data.sequence, _UNITS),
    ("--order", lambda c: c.data.order, _UNITS),
    ("--step", lambda c: c.data.step, _UNITS),
    ("--group", lambda c: c.data.group, _UNITS),
    ("--family", lambda c: c.family != "auto", "for one topic a document leave out --latent: --family multinomial."),
    ("family_options", lambda c: c.family_options, "the options of topics are latent.alpha and latent.eta."),
    ("groups", lambda c: c.groups, _COUNTS),
    ("--covariance", lambda c: c.covariance, "terms have none; --set latent.alpha and latent.eta say how they mix."),
    (
        "--prior",
        lambda c: c.prior.name != "none" or c.prior.hyperparameters,
        "topics have one always: --set latent.eta=0.1.",
    ),
    ("--inference", lambda c: c.inference != "ml", "topics are fitted by variational Bayes as they are."),
    ("--response", lambda c: c.regression, _COUNTS),
    ("--concomitant", lambda c: c.concomitant, _COUNTS),
    ("--se", lambda c: c.standard_errors in ("observed", "robust"), _POSTERIOR),
    ("--other-families", lambda c: c.search.other_families, "there is one law of terms."),
    ("--algorithm", lambda c: c.search.algorithm.name not in ("em", "squarem"), _ALGORITHM),
    ("--start", lambda c: STARTS.knows(c.search.start.name), "a file of topics, or auto, is where they begin."),
)  # what does not go with topics: what to ask of the configuration, and what can be had


def wanted_topics(config: RunConfig) -> CorpusOptions | None:
    """How documents are to be read, if topics are wanted; `UsageError` for what does not go with them, or without."""
    from em_cli.config.choices import latent_choices

    said = {name: getattr(config.data, name) for name in _NAMED}
    names = [choice.name for choice in latent_choices(config)]
    if TOPICS not in names:
        if strange := [name for name, value in said.items() if value is not None]:
            raise UsageError(f"--{strange[0].replace('_', '-')} is about documents: it goes with --latent topics.")
        return None
    if len(names) > 1:
        raise UsageError("topics are compared with topics only: their bound is no likelihood. --latent topics alone.")
    refuse_unsuited(config, TOPICS, _REFUSED)
    if config.data.files not in (None, config.data.document, config.data.id):
        raise UsageError("--files names files: --document of the same column makes each of them a document.")
    if config.data.id is not None:
        if said["document"] not in (None, config.data.id):
            raise UsageError("--id and --document name two columns: documents are named by one.")
        said["document"] = config.data.id
    from em_cli.sources.corpus_options import CorpusOptions

    return CorpusOptions(**said)


def latent_of(config: RunConfig) -> Allocation:
    """With its options."""
    from em_cli.config.choices import latent_choice
    from em_cli.latents.allocation.allocation import Allocation
    from em_cli.parts import check_options

    choice = latent_choice(config)
    check_options(f"latent {TOPICS!r}", Allocation, choice.options)
    return Allocation(**choice.options)


def check_enough(corpus: Corpus, n_components: int, name: str) -> None:
    """`DataError` if there are more topics than tokens."""
    if n_components > corpus.n_tokens:
        raise DataError(
            f"{name} has {corpus.n_tokens:,.0f} tokens: too few for {n_components} topics. Use a smaller -k."
        )
