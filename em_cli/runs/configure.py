"""From the command line, the environment and a file to what a run is to do."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from em_cli.config.choice import INDEPENDENT, Choice
from em_cli.config.choices import latent_choices
from em_cli.config.ranges import parse_k
from em_cli.config.resolve import resolve
from em_cli.config.run_config import RunConfig
from em_cli.config.texts import fingerprint
from em_cli.criteria import CRITERIA, CROSS_VALIDATION
from em_cli.engine.objectives import LOG_LIKELIHOOD
from em_cli.errors import OutputError, UsageError
from em_cli.families import FAMILIES
from em_cli.families.covariances import COVARIANCES
from em_cli.models.haplotypes import PAIRS, wanted_pairs
from em_cli.models.specification import families_of, names_components
from em_cli.models.topics import CRITERIA_OF_TOPICS, TOPICS, wanted_topics
from em_cli.options import ReportOptions, layer
from em_cli.outputs.model_file import read_bytes, read_model
from em_cli.outputs.naming import Previous, check_names
from em_cli.outputs.run_names import default_name, meant_run
from em_cli.registry import did_you_mean
from em_cli.runs.climbing import (
    algorithm_of,
    as_endless,
    as_variational,
    check_objective,
    is_endless,
    with_climbs,
)
from em_cli.runs.request import Request
from em_cli.runs.stdio import closed_stdout
from em_cli.starts import STARTS

GIVEN = "given"  # a way to start that is named by what is given, a run or a file
SWEPT = tuple(range(1, 10))  # numbers of components, unless others are named


@dataclass(frozen=True, slots=True)
class StartFile:
    """Parameters to start from, as a file or run folder holds them."""

    path: str
    text: bytes
    sha256: str


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run is to do; each thing is found out once."""

    request: Request
    config: RunConfig
    ks: tuple[int, ...]  # numbers of components
    start: StartFile | None
    effort: str | None  # of the search; None where climbs from so many starts, or from a given one, are asked for
    folder: str | None  # to write; None if nothing asks for one
    stdout: str  # human, json, csv, or none if a result file takes it or nothing is wanted there
    fingerprint: str  # SHA-256 of what decides the results
    previous: Previous | None = None  # model whose components those of the fit are

    @property
    def endless(self) -> bool:
        """Whether rows are taken as they come, from a stream that need not end."""
        return not self.request.compares and is_endless(self.config)

    def fingerprint_without_limit(self) -> str:
        """The same of a run that may take any time."""
        search = self.config.search.model_copy(update={"time_limit": None})
        return fingerprint_of(self.config.model_copy(update={"search": search}), self.start, self.previous)


def configured(request: Request) -> Settings:
    """What the command line, the environment and the YAML file make together; `UsageError` if that is no run."""
    options = layer(*request.sections)
    if request.paths:
        options.setdefault("data", {})["path"] = list(request.paths)
    asked = as_variational(resolve(request.config.config, request.config.overrides or [], options))
    asked = asked if request.compares else as_endless(asked)
    config = _of_units(with_climbs(asked))
    check_objective(config)
    if not config.data.path:
        raise UsageError("no data: name a CSV file, or '-' for standard input.")
    if config.data.weight_type == "sampling" and config.data.weights is None:
        raise UsageError("--weight-type sampling is about weights: name their column with --weights.")
    start = start_file(config)
    effort = effort_of(config, start, options.get("search", {}).get("effort"))
    stdout = _stdout_format(request.report, request.formats, request.screen.quiet)
    ks = parse_k(config.k)
    if request.compares:
        if wanted_pairs(config):
            raise UsageError("em select compares models; haplotypes follow from the genotypes: em fit --latent pairs.")
        _check_criterion(config)
        if "folds" in options and config.criterion != CROSS_VALIDATION:
            raise UsageError("--folds is about cross-validation: it goes with --criterion cv.")
        _check_tests(config, ks or SWEPT, "replicates" in options)
        if start:
            raise UsageError("--start FILE gives parameters for one number of components: it goes with em fit.")
    else:
        _check_one(ks, config)
    check_parts(config)
    folder = _folder(config, request.report, ks or SWEPT)
    previous = _previous(config, ks, request.compares)
    decisive = fingerprint_of(config, start, previous)
    return Settings(request, config, ks or SWEPT, start, effort, folder, stdout, decisive, previous)


def _previous(config: RunConfig, ks: Sequence[int], compares: bool) -> Previous | None:
    """The earlier model of `match`; `UsageError` if that, or names, make no sense."""
    if config.match is None and not config.names:
        return None
    option = "--names" if config.match is None else "--match"
    if compares:
        raise UsageError(f"{option} is about the components of one fit: it goes with em fit.")
    if wanted_topics(config) is not None:
        raise UsageError(f"{option} is about components: topics are known by their terms.")
    if config.data.labels is not None:
        raise UsageError(f"{option}: the components have the names of their labels.")
    if names_components(config):
        raise UsageError(f"{option}: the components have an order of their own, by fixed means or transitions.")
    if config.match is None:
        check_names(config.names, ks[0])
        return None
    if config.names:
        raise UsageError("--match gives the components the names of an earlier model: leave out --names.")
    path = meant_run(config.match)
    return Previous(read_model(path), hashlib.sha256(read_bytes(path)).hexdigest())


def _of_units(config: RunConfig) -> RunConfig:
    """With the algorithm and the criterion of topics, and the algorithm of haplotypes, where no others are named."""
    if PAIRS in [choice.name for choice in latent_choices(config)]:
        if "algorithm" not in config.search.model_fields_set:
            search = config.search.model_copy(update={"algorithm": Choice(name="squarem")})
            config = config.model_copy(update={"search": search})
        wanted_pairs(config)
    if TOPICS not in [choice.name for choice in latent_choices(config)]:
        wanted_topics(config)
        return config
    search = config.search
    if "algorithm" not in search.model_fields_set:
        search = search.model_copy(update={"algorithm": Choice(name="squarem")})
    criterion = config.criterion if "criterion" in config.model_fields_set else CRITERIA_OF_TOPICS[0]
    config = config.model_copy(update={"search": search, "criterion": criterion})
    wanted_topics(config)
    return config


def _check_criterion(config: RunConfig) -> None:
    if wanted_topics(config) is None:
        CRITERIA.load(config.criterion)
    elif config.criterion not in CRITERIA_OF_TOPICS:
        raise UsageError(
            f"--criterion {config.criterion} needs a likelihood, and topics have none: --criterion completion (of "
            "held-out tokens) or elbo."
        )


def _check_tests(config: RunConfig, ks: tuple[int, ...], many_asked: bool) -> None:
    """`UsageError` where bootstrap likelihood-ratio tests are wanted that cannot be."""
    if not config.test:
        if many_asked:
            raise UsageError("-B is how many data sets a test draws: it goes with --test.")
        return
    why = ""
    if wanted_topics(config) is not None:
        why = "topics have no likelihood that could be compared"
    elif not any(k + 1 in ks for k in ks):
        why = f"it compares K components with K + 1, and --k-range {config.k} has no two numbers that follow"
    elif config.inference != "ml" or config.prior.name != "none":
        why = "it compares maxima of the likelihood, and --inference and --prior ask for others"
    elif algorithm_of(config).objective != LOG_LIKELIHOOD:
        why = f"it compares maxima of the likelihood, and --algorithm {config.search.algorithm.name} ends elsewhere"
    elif config.data.labels is not None:
        why = "rows that are drawn have no --labels"
    if why:
        raise UsageError(f"--test cannot be: {why}.")


def start_file(config: RunConfig) -> StartFile | None:
    """The file or run folder of parameters to start from, if that is what `start` names."""
    path = config.search.start.name
    if path == "auto" or STARTS.knows(path):
        return None
    path = meant_run(path)
    if not os.path.lexists(path):
        if path == GIVEN:
            raise UsageError(f"--start {GIVEN}: name what is given, --start RUN or --start FILE with parameters.")
        raise UsageError(f"--start {path!r} is neither a way to start nor a file{did_you_mean(path, STARTS.names())}")
    if config.search.restarts not in ("auto", 1):
        raise UsageError(f"--start {path} gives the one start: --restarts does not apply. Leave it out.")
    text = read_bytes(path)
    return StartFile(path, text, hashlib.sha256(text).hexdigest())


def effort_of(config: RunConfig, start: StartFile | None, asked: str | None = None) -> str | None:
    """The effort of the search, if it is one.

    An effort `asked` for on the command line must be that of a search, even if it is the default.
    """
    search = config.search
    if search.restarts == "auto" and start is None:
        return search.effort
    if asked or search.effort != type(search).model_fields["effort"].default:
        instead = f"--start {start.path}" if start else f"--restarts {search.restarts}"
        raise UsageError(
            f"{instead} asks for {'one start' if start else 'so many starts'} and no search: "
            f"--effort {search.effort} does not apply. Leave it out."
        )
    return None


def fingerprint_of(config: RunConfig, start: StartFile | None, previous: Previous | None = None) -> str:
    """SHA-256 of what decides the results."""
    return fingerprint(config, start.sha256 if start else None, previous.sha256 if previous else None)


def _check_one(ks: tuple[int, ...], config: RunConfig) -> None:
    """`UsageError` if it is not one number of components that is to be fitted."""
    if not ks and not wanted_pairs(config):
        raise UsageError("how many components? Give -k, as in -k 3, or let em select choose.")
    if len(ks) > 1:
        raise UsageError(f"k is {config.k}, a range; fit takes one number: give -k, or use em select.")


def check_parts(config: RunConfig) -> None:
    """`UsageError` if a family or a covariance structure that is named is not there."""
    for name in families_of(config):
        if name != "auto":
            FAMILIES.load(name)
    for name in config.covariance or []:
        if name != "all":
            COVARIANCES.load(name)


def _folder(config: RunConfig, report: ReportOptions, ks: tuple[int, ...]) -> str | None:
    """Where to write the run folder."""
    if config.out:
        return config.out
    streamed = report.json or "-" in (report.params, report.responsibilities_to, report.labelled)
    if streamed or "-" in config.data.path:
        return None
    families = [name for name in families_of(config) if name != "auto"]
    latents = [choice.name for choice in latent_choices(config)]
    if PAIRS in latents:
        return default_name(config.data.path[0], (), [PAIRS])
    structures = [*(config.covariance or ()), *(latents if latents != [INDEPENDENT] else ())]
    return default_name(config.data.path[0], ks, [*families, *structures])


def _stdout_format(report: ReportOptions, allowed: tuple[str, ...], quiet: bool) -> str:
    """What standard output is to hold."""
    places = {
        "--params": report.params,
        "--responsibilities": report.responsibilities_to,
        "--labelled": report.labelled,
    }
    taken = [name for name, path in places.items() if path == "-"]
    if report.json and report.format not in (None, "json"):
        raise UsageError(f"--json and --format {report.format} contradict each other.")
    asked = "json" if report.json else report.format
    if len(taken) > 1 or (taken and asked):
        both = [*taken, "the result document"][:2]
        raise UsageError(f"{both[0]} and {both[1]} cannot both go to standard output.")
    if asked is not None and asked not in (*allowed, "none"):
        raise UsageError(f"--format {asked!r}: here it can be {', '.join(allowed)} or none.")
    if (asked or taken) and closed_stdout():
        raise OutputError("the result is to go to standard output, which is closed.")
    if asked:
        return asked
    if taken or quiet or closed_stdout():
        return "none"
    return "human" if sys.stdout.isatty() else "json"
