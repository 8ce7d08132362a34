"""The configuration of a run, as YAML spells it. Every key, default and bound stands here once."""

from __future__ import annotations

import os
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
)

from em_cli.config.amounts import parse_size
from em_cli.config.choice import AUTO, INDEPENDENT, NOISE, Choice, read_choice
from em_cli.config.durations import parse_duration
from em_cli.config.prior_config import PriorConfig, read_prior
from em_cli.config.ranges import FEWEST_OF_TESTS, MOST_OF_TESTS, parse_k
from em_cli.config.usual_names import usual_name
from em_cli.sources.schema import TYPES


def _listed(value: object) -> Any:
    return [value] if isinstance(value, str) else value


MOST = 1_000_000_000  # iterations, starts
MOST_THREADS = 4096

Names = Annotated[list[str], BeforeValidator(_listed)]


def _part(default: str) -> BeforeValidator:
    return BeforeValidator(partial(read_choice, default=default))


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def _name(path: str) -> str:
    """The name of a file, as far as it can be one."""
    try:
        possible = b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        possible = False
    if not possible:
        raise ValueError(f"{path!r} cannot be the name of a file")
    return path


def _type_named(kind: str) -> str:
    """A type of column, or a family by its name here, with what may stand behind a colon."""
    if kind in TYPES:
        return kind
    family, colon, argument = kind.partition(":")
    return f"{usual_name(family)}{colon}{argument}"


class DataConfig(_Section):
    """What to read, and how."""

    path: Annotated[Names, Field(description="CSV files; '-' is standard input")] = []
    columns: Annotated[Names | None, Field(description="columns to fit; all usable ones if absent")] = None
    exclude: Annotated[Names, Field(description="columns to leave out")] = []
    id: Annotated[str | None, Field(description="a column to carry to the outputs, never fitted")] = None
    files: Annotated[str | None, Field(description="a column to make, that names the file of each row")] = None
    types: Annotated[
        dict[str, str],
        Field(description="column: numeric, count, binary, categorical, positive, proportion, angle, or a family"),
    ] = {}
    transforms: Annotated[
        dict[str, str], Field(description="column: log, log1p, sqrt or logit, on whose scale it is fitted")
    ] = {}
    units: Annotated[
        dict[str, str], Field(description="column: the unit that its numbers are in, such as s or kg")
    ] = {}
    delimiter: Annotated[str | None, Field(description="guessed if absent: comma, semicolon, tab or pipe")] = None
    decimal: Annotated[str, Field(min_length=1, max_length=1, description="decimal point")] = "."
    thousands: Annotated[str | None, Field(min_length=1, max_length=1, description="thousands separator")] = None
    encoding: Annotated[str | None, Field(description="UTF-8 if absent")] = None
    comment: Annotated[str | None, Field(min_length=1, max_length=1, description="rest of the line is ignored")] = None
    header: Annotated[bool | None, Field(description="whether the first line names the columns")] = None
    skip: Annotated[int | None, Field(ge=0, description="lines above the header; found if absent")] = None
    na: Annotated[Names, Field(description="more texts that mark a missing cell")] = []
    na_level: Annotated[
        Names, Field(description="texts, such as NA, that are a level in columns of text, and missing among numbers")
    ] = []
    missing: Annotated[
        Literal["model", "error", "drop"],
        Field(description="missing cells: model fits such rows by their other cells, drop leaves them out"),
    ] = "model"
    weights: Annotated[str | None, Field(description="a column of case weights, never fitted")] = None
    labels: Annotated[
        str | None, Field(description="a column that names the component of the rows of which it is known")
    ] = None
    sequence: Annotated[
        str | None, Field(description="a column that tells which rows are a sequence, where labels follow a chain")
    ] = None
    order: Annotated[str | None, Field(description="the column of time, by which rows of a sequence are sorted")] = None
    step: Annotated[
        str | int | float | None,
        Field(description="of time: 1, 1d, 1h, 1mo …; where a row is missing there is a step without cells"),
    ] = None
    group: Annotated[str | None, Field(description="a column that tells which rows share their component")] = None
    document: Annotated[str | None, Field(description="a column that names documents, where topics are fitted")] = None
    term: Annotated[str | None, Field(description="a column of terms: a line for each document and term")] = None
    count: Annotated[str | None, Field(description="how often the term occurs; a line counts once if absent")] = None
    text: Annotated[str | None, Field(description="a column of text, whose words are the terms")] = None
    stop_words: Annotated[str | None, Field(description="words to leave out: english, or a file of them")] = None
    weight_type: Annotated[
        Literal["frequency", "sampling"],
        Field(description="frequency: a weight of 2 is the row twice; sampling: weights are scaled to mean 1"),
    ] = "frequency"

    @field_validator("types")
    @classmethod
    def _families(cls, value: dict[str, str]) -> dict[str, str]:
        return {column: _type_named(kind) for column, kind in value.items()}

    @field_validator("path")
    @classmethod
    def _names(cls, value: list[str]) -> list[str]:
        return [_name(path) for path in value]


class SearchConfig(_Section):
    """How to look for the best fit."""

    algorithm: Annotated[
        Choice, _part("lbfgs"), Field(description="how starts are taken to their ends: lbfgs, squarem, em, cem, …")
    ] = Choice(name="lbfgs")
    effort: Annotated[
        Literal["low", "normal", "high"], Field(description="low is one search; high goes on for longer than normal")
    ] = "normal"
    restarts: Annotated[int | Literal["auto"], Field(description="a number: that many starts, and no search")] = "auto"
    start: Annotated[
        Choice, _part(AUTO), Field(description="how starts are made: auto, a name, or a file of parameters")
    ] = Choice(name=AUTO)
    tol: Annotated[float, Field(gt=0, description="units of total log-likelihood that may remain to gain")] = 0.01
    stop: Annotated[
        Literal["nats", "loglik", "relative", "parameters"],
        Field(description="what tol is of: nats that remain, or the last change of the other programs' rules"),
    ] = "nats"
    max_iter: Annotated[int, Field(ge=1, le=MOST, description="E-steps of one start at most")] = 2000
    other_families: Annotated[
        bool | None, Field(description="whether refits see if other families lower BIC; if absent, where rows are few")
    ] = None
    time_limit: Annotated[
        int | float | str | None,
        Field(description="10m, 90s, 1.5h or 45: then the best so far; what is found by then is not reproducible"),
    ] = None

    @field_validator("time_limit", mode="before")
    @classmethod
    def _time(cls, value: Any) -> Any:
        if value is not None:
            parse_duration(value)
        return value

    @field_validator("restarts")
    @classmethod
    def _positive(cls, value: int | str) -> int | str:
        if isinstance(value, int) and not 1 <= value <= MOST:
            raise ValueError(f"must be at least 1 and at most {MOST:,}, or auto")
        return value

    @field_validator("tol", mode="before")
    @classmethod
    def _real(cls, value: object) -> Any:
        return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


class GroupConfig(BaseModel):
    """Columns that one family describes; further keys are options of the family."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)

    columns: Annotated[Names, Field(description="the columns of the group")]
    family: Annotated[str, Field(description="the family that describes them")]

    @field_validator("family")
    @classmethod
    def _usual(cls, value: str) -> str:
        return usual_name(value)


class RegressionConfig(_Section):
    """A response, and what it is told by."""

    response: Annotated[str | None, Field(description="the column that is described, given those of on")] = None
    on: Annotated[Names, Field(description="terms: x, x^2, log(x), x:z")] = []
    common: Annotated[Names, Field(description="terms with one coefficient for all components")] = []
    offset: Annotated[str | None, Field(description="a column that is added to the predictor as it is")] = None


class RunConfig(_Section):
    """A whole run: `em fit -c` and `em select -c` accept it."""

    data: Annotated[
        DataConfig,
        BeforeValidator(lambda value: {"path": value} if isinstance(value, str | list) else value),
        Field(description="a path, or path and options", default_factory=DataConfig),
    ]
    k: Annotated[
        int | str | list[int] | None,
        Field(description="number of components: 3; for select 1-10, 1-10:3, [1, 2, 4]"),
    ] = None
    family: Annotated[
        str | list[str], Field(description="auto: by the types of the columns; for select a list, or one", min_length=1)
    ] = "auto"
    family_options: Annotated[dict[str, object], Field(description="options of the family, see em parts families")] = {}
    groups: Annotated[
        list[GroupConfig], Field(description="columns that a family describes together: {columns: [a, b], family: …}")
    ] = []
    covariance: Annotated[Names | None, Field(description="full, tied, diag, EII … VVV; for select a list, or all")] = (
        None
    )
    inference: Annotated[
        Literal["ml", "map", "variational"],
        Field(description="ml: maximum likelihood; map: of the posterior, under prior; variational: variational Bayes"),
    ] = "ml"
    prior: Annotated[
        PriorConfig,
        BeforeValidator(read_prior),
        Field(description="none, weak, or hyperparameters of conjugate priors: {weights: dirichlet:0.1, …}"),
    ] = PriorConfig()
    noise: Annotated[
        bool | float,
        Field(description="true: a uniform component for rows that belong to no other; or its density (of the latent)"),
    ] = False
    mixing_weights: Annotated[
        Literal["free", "equal"] | list[float],
        Field(description="free, equal, or fixed to these numbers (weights of the latent)"),
    ] = "free"
    latent: Annotated[
        Choice | None, Field(description="law of the labels: independent, noise, …; see em parts latents")
    ] = None
    latents: Annotated[
        Names | None, Field(description="for select: latent structures to compare; latent has the options of one")
    ] = None
    regression: Annotated[
        RegressionConfig | None, Field(description="a mixture of regressions: response, on, common, offset")
    ] = None
    concomitant: Annotated[Names, Field(description="columns that tell the mixing weights")] = []
    search: Annotated[SearchConfig, Field(default_factory=SearchConfig)]
    criterion: Annotated[str, Field(description="by which select chooses")] = "bic"
    folds: Annotated[int, Field(ge=2, le=1000, description="of the rows, for criterion cv")] = 10
    test: Annotated[bool, Field(description="for select: bootstrap likelihood-ratio tests of one component more")] = (
        False
    )
    replicates: Annotated[
        int, Field(ge=FEWEST_OF_TESTS, le=MOST_OF_TESTS, description="data sets drawn for each test")
    ] = 99
    standard_errors: Annotated[
        Literal["auto", "observed", "robust", "none"],
        Field(description="auto: where they cost less than the search; observed and robust say which are reported"),
    ] = "auto"
    match: Annotated[
        str | None, Field(description="for fit: an earlier model, as whose its components are named and ordered")
    ] = None
    names: Annotated[Names, Field(description="for fit: of the components, the largest first")] = []
    seed: Annotated[int, Field(ge=0, description="same seed, same bytes")] = 0
    threads: Annotated[int | Literal["auto"], Field(description="auto: one per core; changes no result")] = "auto"
    runner: Annotated[Choice, _part("threads"), Field(description="where to compute")] = Choice(name="threads")
    memory: Annotated[
        int | str | None,
        Field(description="2GB, 500MB: what rows may take of it, more lie on the disk; absent: half of what there is"),
    ] = None
    cache: Annotated[str | None, Field(description="folder for rows on the disk; absent: beside the run folder")] = None
    out: Annotated[str | None, Field(description="run folder; named as faithful-k3.em if absent")] = None
    responsibilities: Annotated[
        bool | Literal["all", "top", "none"],
        Field(description="of each row all, or the top alone; true: all, and above 1e7 rows the top; false: none"),
    ] = True
    responsibilities_format: Annotated[Literal["csv", "feather", "parquet"], Field(description="of their file")] = "csv"

    @field_validator("family")
    @classmethod
    def _usual(cls, value: str | list[str]) -> str | list[str]:
        return usual_name(value) if isinstance(value, str) else [usual_name(name) for name in value]

    @field_validator("k")
    @classmethod
    def _range(cls, value: int | str | list[int] | None) -> int | str | list[int] | None:
        parse_k(value)
        return value

    @field_validator("out")
    @classmethod
    def _folder(cls, value: str | None) -> str | None:
        if value in ("", "-"):
            raise ValueError(f"{value!r} is no name of a run folder; --json and --params - write to standard output")
        return value if value is None else _name(value)

    @field_validator("mixing_weights")
    @classmethod
    def _shares(cls, value: str | list[float]) -> str | list[float]:
        if isinstance(value, list) and (not value or min(value) <= 0 or abs(sum(value) - 1) > 1e-6):
            raise ValueError("numbers must be above 0 and sum to one")
        return value

    @field_validator("noise")
    @classmethod
    def _density(cls, value: bool | float) -> bool | float:
        if not isinstance(value, bool) and not 0 < value < float("inf"):
            raise ValueError("must be true, false, or a density above 0")
        return value

    @field_validator("latent", mode="before")
    @classmethod
    def _latent(cls, value: object, info: ValidationInfo) -> Any:
        """Options alone are those of what the short forms say."""
        default = INDEPENDENT if info.data.get("noise", False) is False else NOISE
        return value if value is None else read_choice(value, default)

    @field_validator("memory")
    @classmethod
    def _size(cls, value: int | str | None) -> int | str | None:
        if value is not None:
            parse_size(value)
        return value

    @field_validator("responsibilities")
    @classmethod
    def _none(cls, value: bool | str) -> bool | str:
        return False if value == "none" else value

    @field_validator("threads")
    @classmethod
    def _some(cls, value: int | str) -> int | str:
        if isinstance(value, int) and not 1 <= value <= MOST_THREADS:
            raise ValueError(f"must be at least 1 and at most {MOST_THREADS:,}, or auto")
        return value
