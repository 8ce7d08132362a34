"""Every option, defined once: its name on the command line, its place in the configuration, its help.

A group of options is a dataclass whose fields are the keys of one section of the run configuration; `grouped` spreads
groups into the signature that Typer reads. Every option is also read from the environment (`EM_SEED`, `EM_THREADS`, …).
"""

from __future__ import annotations

from dataclasses import Field, dataclass
from typing import Annotated, Any, ClassVar, Protocol

from typer import Argument, Option


class Group(Protocol):
    """Options that stand together in the help."""

    panel: ClassVar[str]
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


class Section(Group, Protocol):
    """Options that are keys of one section of the run configuration."""

    section: ClassVar[str]


def _opt(*names: str, **more: Any) -> Any:
    return Option(*names, show_default=False, **more)


def _meant(path: str) -> str:
    """The run that is meant by a folder's name."""
    from em_cli.outputs.run_names import meant_run

    return meant_run(path)


def _meant_if_given(path: str | None) -> str | None:
    return None if path is None else _meant(path)


Family = Annotated[
    str | None, _opt("--family", metavar="NAME", help="auto, gaussian, student_t, poisson, … [default: auto].")
]
Prior = Annotated[str | None, _opt("--prior", metavar="none|weak", help="Penalise components [default: none].")]
Inference = Annotated[
    str | None, _opt("--inference", metavar="NAME", help="ml, map (under --prior) or variational [default: ml].")
]
Latent = Annotated[
    str | None,
    _opt("--latent", metavar="NAME", help="Law of the labels: independent, noise, … [default: independent]."),
]
Concomitant = Annotated[
    str | None,
    _opt("--concomitant", metavar="A,B", help="Columns that tell the mixing weights, by a multinomial logit."),
]
Noise = Annotated[bool | None, _opt("--noise", help="Add a uniform component for rows that belong to no other.")]


@dataclass(frozen=True)
class ColumnOptions:
    section: ClassVar[str] = "data"
    panel: ClassVar[str] = "Data"

    columns: Annotated[list[str] | None, _opt("--columns", metavar="A,B", help="Columns to fit.")] = None
    exclude: Annotated[list[str] | None, _opt("--exclude", metavar="A,B", help="Columns to leave out.")] = None
    types: Annotated[
        list[str] | None,
        _opt("--type", metavar="COL=TYPE", help="numeric, count, categorical, …, or a family (repeatable)."),
    ] = None
    transforms: Annotated[
        list[str] | None,
        _opt("--transform", metavar="COL=NAME", help="Fit its log, log1p, sqrt or logit (repeatable)."),
    ] = None
    weights: Annotated[str | None, _opt("--weights", metavar="COL", help="Case weights, never fitted.")] = None
    labels: Annotated[
        str | None, _opt("--labels", metavar="COL", help="Names the component of rows of which it is known.")
    ] = None
    weight_type: Annotated[
        str | None,
        _opt("--weight-type", metavar="frequency|sampling", help="2 is the row twice, or scaled to mean 1."),
    ] = None


@dataclass(frozen=True)
class ReadingOptions:
    section: ClassVar[str] = "data"
    panel: ClassVar[str] = "Data"

    id: Annotated[str | None, _opt("--id", metavar="COL", help="Column carried to the outputs, never fitted.")] = None
    files: Annotated[str | None, _opt("--files", metavar="COL", help="Column to make: the file of a row.")] = None
    delimiter: Annotated[str | None, _opt("--delimiter", metavar="C", help="Guessed if not given.")] = None
    decimal: Annotated[str | None, _opt("--decimal", metavar="C", help="Decimal point [default: .].")] = None
    thousands: Annotated[str | None, _opt("--thousands", metavar="C", help="Thousands separator.")] = None
    encoding: Annotated[str | None, _opt("--encoding", metavar="NAME", help="[default: UTF-8].")] = None
    comment: Annotated[str | None, _opt("--comment", metavar="C", help="Begins a comment in the data.")] = None
    header: Annotated[bool | None, _opt("--header/--no-header", help="Whether the first line names columns.")] = None
    skip: Annotated[int | None, _opt("--skip", metavar="N", help="Lines above the header [default: found].")] = None
    units: Annotated[
        list[str] | None, _opt("--unit", metavar="COL=UNIT", help="Of its numbers, such as s or kg (repeatable).")
    ] = None
    na: Annotated[list[str] | None, _opt("--na", metavar="TEXT", help="Marks a missing cell (repeatable).")] = None
    na_level: Annotated[
        list[str] | None,
        _opt("--na-level", metavar="TEXT", help="Such as NA: a level where cells are text (repeatable)."),
    ] = None
    missing: Annotated[
        str | None, _opt("--missing", metavar="model|error|drop", help="Missing cells [default: model].")
    ] = None
    sequence: Annotated[
        str | None, _opt("--sequence", metavar="COL", help="Tells which rows are a sequence (--latent markov).")
    ] = None
    order: Annotated[
        str | None, _opt("--order", metavar="COL", help="Time, by which rows of a sequence are sorted.")
    ] = None
    group: Annotated[
        str | None, _opt("--group", metavar="COL", help="Rows of one value there share their component.")
    ] = None
    step: Annotated[
        str | None, _opt("--step", metavar="STEP", help="Of time: 1, 1d, 1h, 1mo; gaps are steps without cells.")
    ] = None
    document: Annotated[str | None, _opt("--document", metavar="COL", help="Names documents (--latent topics).")] = None
    term: Annotated[str | None, _opt("--term", metavar="COL", help="Terms: a line for each document and term.")] = None
    count: Annotated[str | None, _opt("--count", metavar="COL", help="How often the term occurs [default: once].")] = (
        None
    )
    text: Annotated[str | None, _opt("--text", metavar="COL", help="Text, whose words are the terms.")] = None
    stop_words: Annotated[str | None, _opt("--stop-words", metavar="english|FILE", help="Words that are left out.")] = (
        None
    )


@dataclass(frozen=True)
class FitModelOptions:
    section: ClassVar[str] = ""
    panel: ClassVar[str] = "Model"

    k: Annotated[str | None, _opt("-k", "--components", metavar="K", help="Number of components.")] = None
    match: Annotated[
        str | None, _opt("--match", metavar="RUN", help="Name and order components as in an earlier model.")
    ] = None
    names: Annotated[str | None, _opt("--names", metavar="A,B", help="Of the components, the largest first.")] = None
    family: Family = None
    covariance: Annotated[
        str | None,
        _opt("--covariance", metavar="NAME", help="full, tied, diag, EII … VVV [default: full]."),
    ] = None
    inference: Inference = None
    prior: Prior = None
    latent: Latent = None
    noise: Noise = None
    concomitant: Concomitant = None


@dataclass(frozen=True)
class RegressionOptions:
    section: ClassVar[str] = "regression"
    panel: ClassVar[str] = "Regression"

    response: Annotated[
        str | None, _opt("--response", metavar="COL", help="What is described, given the columns of --on.")
    ] = None
    on: Annotated[
        str | None, _opt("--on", metavar="TERMS", help="x1,x2 and x^2, log(x), x:z: regressors of the response.")
    ] = None
    common: Annotated[str | None, _opt("--common", metavar="TERMS", help="Alike in all components.")] = None
    offset: Annotated[str | None, _opt("--offset", metavar="COL", help="Added to the predictor as it is.")] = None


@dataclass(frozen=True)
class SelectModelOptions:
    section: ClassVar[str] = ""
    panel: ClassVar[str] = "Model"

    k: Annotated[str | None, _opt("--k-range", "-k", metavar="RANGE", help="1-10, 1-10:3 or 2,4,8 [default: 1-9].")] = (
        None
    )
    family: Annotated[
        str | None, _opt("--family", metavar="NAMES", help="As in fit, or a list such as gaussian,student_t.")
    ] = None
    covariance: Annotated[
        str | None, _opt("--covariance", metavar="NAMES", help="A list such as full,tied, or all [default: full].")
    ] = None
    criterion: Annotated[
        str | None, _opt("--criterion", metavar="NAME", help="bic, aic, icl, cv, … [default: bic].")
    ] = None
    folds: Annotated[
        int | None, _opt("--folds", metavar="N", help="Parts of the rows, each left out once, for cv [default: 10].")
    ] = None
    inference: Inference = None
    prior: Prior = None
    latent: Annotated[
        str | None, _opt("--latent", metavar="NAMES", help="As in fit, or a list such as independent,markov.")
    ] = None
    noise: Noise = None
    concomitant: Concomitant = None


@dataclass(frozen=True)
class SearchOptions:
    section: ClassVar[str] = "search"
    panel: ClassVar[str] = "Search"

    algorithm: Annotated[
        str | None, _opt("--algorithm", metavar="NAME", help="em parts algorithms lists them [default: lbfgs].")
    ] = None
    finish: Annotated[str | None, _opt("--finish", metavar="lbfgs|em|none", help="What goes on after it.")] = None
    effort: Annotated[
        str | None, _opt("--effort", metavar="low|normal|high", help="How long to search [default: normal].")
    ] = None
    restarts: Annotated[
        str | None, _opt("--restarts", metavar="N|auto", help="N starts and no search [default: auto, a search].")
    ] = None
    start: Annotated[
        str | None,
        _opt("--start", metavar="NAME|FILE", help="kmeans, sphered, … or a file of parameters [default: auto]."),
    ] = None
    tol: Annotated[
        float | None, _opt("--tol", metavar="NATS", help="Log-likelihood that may remain to gain [default: 0.01].")
    ] = None
    max_iter: Annotated[
        int | None, _opt("--max-iter", metavar="N", help="E-steps of one start at most [default: 2000].")
    ] = None
    other_families: Annotated[
        bool | None, _opt("--other-families/--no-other-families", help="See if others lower BIC [default: few rows].")
    ] = None
    time_limit: Annotated[
        str | None, _opt("--time-limit", metavar="TIME", help="10m, 90s, 1.5h: then the best so far.")
    ] = None


@dataclass(frozen=True)
class TestOptions:
    section: ClassVar[str] = ""
    panel: ClassVar[str] = "Certainty"

    test: Annotated[
        bool | None,
        _opt("--test", help="Is one component more than chance? Of the chosen structure (em guide certainty)."),
    ] = None
    replicates: Annotated[
        int | None, _opt("-B", "--replicates", metavar="N", help="Data sets drawn for each test [default: 99].")
    ] = None


@dataclass(frozen=True)
class CertaintyOptions:
    section: ClassVar[str] = ""
    panel: ClassVar[str] = "Certainty"

    standard_errors: Annotated[
        str | None,
        _opt("--se", metavar="observed|robust|none", help="Standard errors [default: where they cost little]."),
    ] = None


@dataclass(frozen=True)
class PlaceOptions:
    section: ClassVar[str] = ""
    panel: ClassVar[str] = "Place"

    seed: Annotated[int | None, _opt("--seed", metavar="N", help="Same seed, same bytes [default: 0].")] = None
    threads: Annotated[str | None, _opt("--threads", metavar="N|auto", help="Changes no result [default: auto].")] = (
        None
    )
    runner: Annotated[
        str | None, _opt("--runner", metavar="NAME", help="serial, threads or dask [default: threads].")
    ] = None
    dask: Annotated[
        str | None, _opt("--dask", metavar="N|ADDRESS", help="N processes here, tcp://host:8786, or a scheduler file.")
    ] = None
    dask_wait: Annotated[
        float | None, _opt("--dask-wait", metavar="SECONDS", help="Without any worker, then status 7 [default: 60].")
    ] = None
    memory: Annotated[
        str | None,
        _opt("--memory", metavar="SIZE", help="Of rows; more lie on disk [default: half of what is free]."),
    ] = None
    cache: Annotated[
        str | None,
        _opt("--cache", metavar="DIR", help="Where they lie then, and are kept [default: beside the run folder]."),
    ] = None


@dataclass(frozen=True)
class FolderOptions:
    section: ClassVar[str] = ""
    panel: ClassVar[str] = "Output"

    out: Annotated[str | None, _opt("-o", "--out", metavar="DIR", help="Run folder [default: as faithful-k3.em].")] = (
        None
    )
    responsibilities: Annotated[
        bool | None, _opt("--write-responsibilities/--no-responsibilities", help="Leave responsibilities.csv out.")
    ] = None
    responsibilities_format: Annotated[
        str | None,
        _opt("--responsibilities-format", metavar="csv|feather|parquet", help="Of their file [default: csv]."),
    ] = None


@dataclass(frozen=True)
class ManyOptions:
    panel: ClassVar[str] = "Many runs"

    each: Annotated[bool, _opt("--each", help="A run for each file, and a table of them.")] = False
    by: Annotated[
        str | None, _opt("--by", metavar="COL", help="A run for each level of a column, and a table of them.")
    ] = None


@dataclass(frozen=True)
class ConfigOptions:
    panel: ClassVar[str] = "Config"

    config: Annotated[str | None, _opt("-c", "--config", metavar="FILE", help="A run configuration in YAML.")] = None
    overrides: Annotated[
        list[str] | None, _opt("--set", metavar="KEY=VALUE", help="Override a key of it (repeatable).")
    ] = None
    dry_run: Annotated[bool, _opt("--dry-run", help="Read, check and plan; fit nothing.")] = False


@dataclass(frozen=True)
class ReportOptions:
    panel: ClassVar[str] = "Output"

    force: Annotated[bool, _opt("--force", help="Replace an existing run folder.")] = False
    resume: Annotated[bool, _opt("--resume", help="Go on with a run that was killed or cut short.")] = False
    checkpoint_every: Annotated[
        str | None, _opt("--checkpoint-every", metavar="TIME|none", help="So that it can be resumed [default: 60s].")
    ] = None
    json: Annotated[bool, _opt("--json", help="The result document on stdout, nothing else.")] = False
    format: Annotated[
        str | None,
        _opt("--format", metavar="human|json|csv|none", help="Of stdout [default: human on a terminal, else json]."),
    ] = None
    params: Annotated[str | None, _opt("--params", metavar="-|FILE", help="Write the parameters there.")] = None
    early: Annotated[str | None, _opt("--early", metavar="FILE", help="Of many rows, first a fit of a sample.")] = None
    responsibilities_to: Annotated[
        str | None,
        _opt(
            "--responsibilities",
            metavar="all|top|none|-|FILE",
            help="Of each row all of them, the top one or none [default: all, top above 1e7 rows]; or where to.",
        ),
    ] = None
    labelled: Annotated[
        str | None, _opt("--labelled", metavar="FILE", help="The data as they are, with component and probability.")
    ] = None
    plots: Annotated[bool, _opt("--plots", help="Draw pictures into the run folder, as em plot does.")] = False
    report: Annotated[bool, _opt("--report", help="Write report.html into the run folder, as em report does.")] = False
    verify: Annotated[
        str | None,
        _opt(
            "--verify",
            metavar="RUN",
            help="Run a run folder again, elsewhere; compare the bytes.",
            callback=_meant_if_given,
        ),
    ] = None
    events: Annotated[str | None, _opt("--events", metavar="FILE", help="All that happens, as JSON lines.")] = None
    events_level: Annotated[
        str | None, _opt("--events-level", metavar="run|climb|pass", help="How closely they tell it [default: pass].")
    ] = None
    strict: Annotated[bool, _opt("--strict", help="Status 6 if the result is doubtful.")] = False


@dataclass(frozen=True)
class ScreenOptions:
    panel: ClassVar[str] = "Screen"

    progress: Annotated[
        str, _opt("--progress", metavar="MODE", help="auto, live, plain, jsonl or none [default: auto].")
    ] = "auto"
    quiet: Annotated[
        bool, _opt("-q", "--quiet", help="No progress, warnings or result on screen: errors, and what --json asks.")
    ] = False
    verbose: Annotated[bool, _opt("-v", "--verbose", help="More on stderr.")] = False
    color: Annotated[str, _opt("--color", metavar="auto|always|never", help="[default: auto].")] = "auto"
    debug: Annotated[bool, _opt("--debug", help="Tracebacks.")] = False


Model = Annotated[
    str, Argument(metavar="MODEL", help="A params.json or run folder; - is standard input.", callback=_meant)
]

RunPaths = Annotated[
    list[str],
    Argument(metavar="RUN RUN...", help="Run folders or model files.", callback=lambda paths: list(map(_meant, paths))),
]

RunPath = Annotated[str, Argument(metavar="RUN", help="A run folder.", callback=_meant)]

Rows = Annotated[list[str], Argument(metavar="DATA...", help="CSV files; - is standard input.")]

Debug = Annotated[bool, Option("--debug", help="Tracebacks.")]

Quiet = Annotated[bool, Option("-q", "--quiet", help="Nothing on stdout.")]
