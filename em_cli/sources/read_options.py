"""How the user wants data files to be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from em_cli.engine.events import Observer, ignore
from em_cli.engine.transforms import TRANSFORMS
from em_cli.errors import UsageError
from em_cli.registry import did_you_mean
from em_cli.sources.decimals import Marks
from em_cli.sources.schema import LEVELLED, TYPES
from em_cli.sources.spool import Spool
from em_cli.sources.store import Store

if TYPE_CHECKING:
    from em_cli.engine.protocols import Elsewhere

NOTHING = (
    "None",
    "none",
    "nil",
    "na",
    "n.a.",
    "N.A.",
    "missing",
    "Missing",
    ".",
    "..",
    "?",
)  # missing cells among numbers, levels among words
POLICIES = ("model", "error", "drop")


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """None means: find out from the file."""

    columns: tuple[str, ...] | None = None
    exclude: tuple[str, ...] = ()
    id: str | None = None  # carried along, never fitted
    files: str | None = None  # a column that is made, of the names of the files
    id_if_there: bool = False  # whether a file may lack the column of ids: its rows are numbered then
    types: Mapping[str, str] = field(default_factory=dict)
    transforms: Mapping[str, str] = field(default_factory=dict)  # of columns that are fitted on another scale
    in_units: Mapping[str, str] = field(default_factory=dict)  # columns: what their numbers are in
    delimiter: str | None = None
    decimal: str = "."
    thousands: str | None = None
    encoding: str | None = None
    comment: str | None = None
    header: bool | None = None  # None: yes, unless the first line looks like data
    may_lack_header: bool = True  # whether a first line that is plainly a row is read as one
    skip: int | None = None  # lines above the header; None: none, unless they are unmistakable
    na: tuple[str, ...] = ()  # besides the usual ones
    na_level: tuple[str, ...] = ()  # levels in columns of text, and missing among numbers, as None is
    missing: Literal["model", "error", "drop"] = "model"
    default_type: str = "auto"  # of columns without an entry in `types`; auto: what their cells say
    weights: str | None = None  # case weights, never fitted
    labels: str | None = None  # known components of some rows, never fitted
    together: tuple[tuple[str, ...], ...] = ()  # columns that stand one behind the other, where all of them are fitted
    mean_weight_one: bool = False  # whether weights are made to sum to the number of rows fitted
    sequential: bool = False  # whether rows follow each other in time, so that each of them counts as a step
    sequence: str | None = None  # the column that tells which rows are a sequence
    order: str | None = None  # the column of time
    step: str | None = None  # of time, from row to row
    group: str | None = None  # the column that tells which rows share their component
    alleles: Mapping[str, tuple[str, ...]] | None = None  # where columns are loci of genotypes: those known, by locus
    blanks: bool = False  # whether those that are named are wanted though nothing stands in them
    regressors: tuple[str, ...] = ()  # columns by which a response, or the mixing weights where there is none, are
    # told: numbers are numbers there, never levels; where there is no response, they stand last
    needed: tuple[str, ...] = ()  # of all these, the numbers without which there is no such regression
    response: str | None = None  # likewise, but for those of two values and counts
    store: Store | None = None  # where rows are kept; None is memory
    observe: Observer = field(default=ignore, repr=False)  # told how far reading has come
    elsewhere: Elsewhere | None = None  # other processes that read parts of large files
    spool: Spool | None = None  # keeps what can be read only once, where it is to be read again

    def __post_init__(self) -> None:
        for name, kind in self.types.items():
            if kind not in TYPES:
                raise UsageError(f"--type {name}={kind}: unknown type {kind!r}{did_you_mean(kind, TYPES)}")
        for name, transform in self.transforms.items():
            self._check_transform(name, transform)
        if self.default_type not in ("auto", *TYPES):
            raise UsageError(f"unknown type {self.default_type!r}{did_you_mean(self.default_type, TYPES)}")
        if self.missing not in POLICIES:
            raise UsageError(f"--missing: unknown policy {self.missing!r}{did_you_mean(self.missing, POLICIES)}")
        if both := [mark for mark in self.na if mark in self.na_level]:
            raise UsageError(f"--na and --na-level both name {both[0]!r}: it marks a missing cell, or is a level.")
        if self.skip is not None and self.skip < 0:
            raise UsageError(f"--skip must be 0 or more, not {self.skip}.")
        self._check_characters()
        self._check_columns()
        self._check_sequences()

    @property
    def for_others(self) -> ReadOptions:
        """How others read, in other processes or at other times."""
        return replace(self, store=None, observe=ignore, spool=None, elsewhere=None)

    @property
    def nothing_among_numbers(self) -> frozenset[str]:
        """Words that are missing cells of columns of numbers, and levels of columns of text."""
        return frozenset((*NOTHING, *self.na_level))

    @property
    def separator(self) -> str | None:
        """The delimiter as a character."""
        return "\t" if self.delimiter in ("tab", "\\t") else self.delimiter

    @property
    def units(self) -> str | None:
        """The column that tells which rows belong together."""
        return self.sequence if self.group is None else self.group

    @property
    def named(self) -> frozenset[str]:
        """Columns the user asked for by name: they are never left out in silence."""
        return frozenset((*(self.columns or ()), *self.types, *self.transforms, *self.regressors))

    @property
    def last(self) -> tuple[str, ...]:
        """Columns that stand behind all others: they tell the mixing weights, and are not fitted."""
        return self.regressors if self.response is None else ()

    @property
    def aside(self) -> dict[str, str]:
        """Columns that are used and not fitted: the option that says so, and the name."""
        named = {"--id": self.id, "--weights": self.weights, "--labels": self.labels}
        named |= {} if self.files in self.named else {"--files": self.files}
        named |= {"--sequence": self.sequence, "--order": self.order, "--group": self.group}
        return {option: name for option, name in named.items() if name is not None}

    def type_of(self, column: str) -> str:
        default = "auto" if column in self.regressors else self.default_type
        return self.types.get(column, "numeric" if column in self.transforms else default)

    def with_row_names(self, name: str | None) -> ReadOptions:
        """The same for a file whose column of this name holds row names: the id, unless the user chose another."""
        if name is None or name in self.named or name in self.aside.values():
            return self
        if self.id is None:
            return replace(self, id=name)
        return replace(self, exclude=(*self.exclude, name))

    def with_files_as_id(self) -> ReadOptions:
        """The same with rows named by their files, where these are nothing else to them."""
        used = self.id is not None or self.files in self.named
        used |= any(name == self.files for option, name in self.aside.items() if option != "--files")
        return self if used else replace(self, id=self.files)

    def with_marks(self, marks: Marks | None) -> ReadOptions:
        """The same for a file whose numbers were found to be written so."""
        return self if marks is None else replace(self, decimal=marks.decimal, thousands=marks.thousands)

    def as_text(self, column: str) -> bool:
        """Whether the cells of a column are to be read as they are written."""
        if column in self.aside.values():
            return column != self.weights
        return self.type_of(column) in LEVELLED

    def _check_transform(self, name: str, transform: str) -> None:
        said = f"--transform {name}={transform}"
        if transform not in TRANSFORMS:
            known = ", ".join(TRANSFORMS)
            raise UsageError(f"{said}: there are {known}{did_you_mean(transform, TRANSFORMS)}")
        if self.types.get(name, "numeric") != "numeric":
            raise UsageError(
                f"{said}: column {name!r} is given as {self.types[name]}; only numeric columns are transformed, "
                "to be described by a Gaussian or a t distribution. Give one of the two."
            )

    def _check_characters(self) -> None:
        for option, text in [
            ("--delimiter", self.separator),
            ("--decimal", self.decimal),
            ("--thousands", self.thousands),
            ("--comment", self.comment),
        ]:
            if text is not None and (len(text) != 1 or text in '"\r\n\0'):
                raise UsageError(f"{option} must be one character, not {text!r}.")
            if text is not None and option in ("--decimal", "--thousands") and (text.isalnum() or text in "+-_"):
                raise UsageError(f"{option} {text!r} would be part of numbers.")
        if self.separator is not None and not self.separator.isascii():
            raise UsageError(f"--delimiter must be an ASCII character, not {self.separator!r}.")
        if self.thousands == self.decimal:
            raise UsageError(f"--thousands and --decimal are both {self.decimal!r}.")
        if self.comment is not None and self.comment in (self.separator, self.decimal, self.thousands):
            raise UsageError(f"--comment {self.comment!r} is the delimiter, or part of numbers.")
        if self.encoding is not None:
            try:
                b"?".decode(self.encoding, "replace")
            except UnicodeError:
                pass
            except LookupError:
                raise UsageError(f"--encoding {self.encoding!r} is not an encoding known to Python.") from None

    def _check_columns(self) -> None:
        chosen, asked = self.columns, {**self.transforms, **self.types}
        if chosen is None:
            unwanted = [name for name in asked if name in self.exclude]
        else:
            if not chosen:
                raise UsageError("--columns names no column.")
            if repeated := sorted({name for name in chosen if chosen.count(name) > 1}):
                raise UsageError(f"--columns names {repeated[0]!r} twice.")
            if both := [name for name in chosen if name in self.exclude]:
                raise UsageError(f"column {both[0]!r} is in --columns and in --exclude.")
            unwanted = [name for name in asked if name not in chosen]
        if unwanted:
            name = unwanted[0]
            option = "--type" if name in self.types else "--transform"
            raise UsageError(f"{option} {name}={asked[name]}: column {name!r} is not among the columns to fit.")
        for option, name in self.aside.items():
            if name in self.named:
                raise UsageError(f"column {name!r} is given as {option}; it cannot be fitted as well.")

    def _check_sequences(self) -> None:
        given = {"--sequence": self.sequence, "--order": self.order, "--step": self.step}
        if self.group is not None:
            if said := [option for option, value in given.items() if value is not None]:
                raise UsageError(f"{said[0]} is about rows that follow each other, and --group about some that do not.")
            if not self.sequential:
                raise UsageError("--group: the rows of this model share no component; --exclude leaves a column out.")
            return
        if not self.sequential:
            if said := [option for option, value in given.items() if value is not None]:
                raise UsageError(
                    f"{said[0]} is about rows that follow each other in time: it goes with --latent markov. "
                    "Here rows are independent of each other; --exclude leaves a column out."
                )
            return
        if self.step is not None and self.order is None:
            raise UsageError("--step counts steps of time: name the column of time with --order.")
        if self.missing == "drop":
            raise UsageError(
                "--missing drop would close the gaps that it leaves in time. Leave it out: rows with missing cells, or "
                "without any, are steps of which less is seen."
            )
