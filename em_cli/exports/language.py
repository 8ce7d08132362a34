"""What languages call things, and formulas written in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from em_cli.exports.formula import Formula, log_gamma

MOST_CHOSEN = 254  # values of a function in Excel
BINARY = {"+": 1, "-": 1, "*": 2, "/": 2}  # and how strongly they bind


@dataclass(frozen=True, slots=True)
class Language:
    """Templates of functions and conditions; `lookup` is written by itself."""

    templates: Mapping[str, str]
    lookup: Callable[[str, list[str]], str]  # of a code, and the texts of its values
    number: Callable[[object], str] = repr

    def text(self, formula: Formula, binding: int = 0, first: bool = True) -> str:
        """The formula, in parentheses where what stands around it binds more strongly, or before it a sign."""
        kind, parts = formula.kind, formula.parts
        if kind == "number":
            text = self.number(parts[0])
            return text if first or text[0] != "-" else f"({text})"
        if kind == "name":
            return str(parts[0])
        texts = [part for part in parts if isinstance(part, Formula)]
        if kind in BINARY:
            level = BINARY[kind]
            text = f"{self.text(texts[0], level, first)} {kind} {self.text(texts[1], level + 1, False)}"
            return f"({text})" if level < binding else text
        if kind == "log_gamma" and kind not in self.templates:
            return self.text(log_gamma(texts[0]), binding)
        written = [self.text(part) for part in texts]
        if kind == "lookup":
            return self.lookup(written[0], written[1:])
        if kind == "largest":
            return self.templates[kind].format(", ".join(written))
        return self.templates[kind].format(*written)


def _cases(code: str, values: list[str]) -> str:
    own = " ".join(f"WHEN {place} THEN {value}" for place, value in enumerate(values))
    return f"CASE {code} {own} END"


def _double(value: object) -> str:
    """With an exponent: without, it is a decimal, and those of one column have one scale, which not all fit."""
    text = repr(value)
    return f"{text}e0" if isinstance(value, float) and "e" not in text else text


def _float8(value: object) -> str:
    """A literal is a number of decimals, whose quotients have ever more of them."""
    return f"float8 '{value}'" if isinstance(value, float) else repr(value)


SQL = {
    "ln": "ln({0})",
    "exp": "exp({0})",
    "sqrt": "sqrt({0})",
    "sin": "sin({0})",
    "floor": "floor({0})",
    "missing": "{0} IS NULL",
    "equal": "{0} = {1}",
    "below": "{0} < {1}",
    "or": "{0} OR {1}",
    "and": "({0}) AND ({1})",
    "not": "NOT ({0})",
    "choose": "CASE WHEN {0} THEN {1} ELSE {2} END",
    "largest": "greatest({0})",
}
GUARDED = {  # where a function has no value for one row, a statement would end without scores of any
    "exp": "exp(CASE WHEN {0} < -700 THEN -700 WHEN {0} > 700 THEN 700 ELSE {0} END)",
    "ln": "ln(nullif(greatest({0}, 0), 0))",
    "sqrt": "sqrt(CASE WHEN {0} >= 0 THEN {0} END)",
}
BIGQUERY = Language(SQL | GUARDED, _cases, _double)
DUCKDB = Language(SQL | {"log_gamma": "lgamma({0})"}, _cases, _double)
POSTGRES = Language(SQL | GUARDED, _cases, _float8)
SQLITE = Language(SQL | {"largest": "max({0})"}, _cases)
NUMPY = Language(
    {
        "ln": "np.log({0})",
        "exp": "np.exp({0})",
        "sqrt": "np.sqrt({0})",
        "sin": "np.sin({0})",
        "floor": "np.floor({0})",
        "missing": "np.isnan({0})",
        "equal": "({0} == {1})",
        "below": "({0} < {1})",
        "or": "({0} | {1})",
        "and": "({0} & {1})",
        "not": "~{0}",
        "choose": "np.where({0}, {1}, {2})",
        "largest": "reduce(np.maximum, [{0}])",
        "log_gamma": "log_gamma({0})",
    },
    lambda code, values: f"np.array([{', '.join(values)}])[np.nan_to_num({code}).astype(int)]",
)
R = Language(
    {
        "ln": "log({0})",
        "exp": "exp({0})",
        "sqrt": "sqrt({0})",
        "sin": "sin({0})",
        "floor": "floor({0})",
        "missing": "is.na({0})",
        "equal": "({0} == {1})",
        "below": "({0} < {1})",
        "or": "({0} | {1})",
        "and": "({0} & {1})",
        "not": "!{0}",
        "choose": "ifelse({0}, {1}, {2})",
        "largest": "pmax({0})",
        "log_gamma": "lgamma({0})",
    },
    lambda code, values: f"c({', '.join(values)})[{code} + 1]",
)


def _chosen(code: str, values: list[str]) -> str:
    """It chooses among so many values at most."""
    if len(values) <= MOST_CHOSEN:
        return f"CHOOSE({code}+1,{','.join(values)})"
    rest = _chosen(f"{code}-{MOST_CHOSEN}", values[MOST_CHOSEN:])
    return f"IF({code}<{MOST_CHOSEN},{_chosen(code, values[:MOST_CHOSEN])},{rest})"


EXCEL = Language(
    {
        "ln": "LN({0})",
        "exp": "EXP(MIN({0},709))",  # of more it has no number
        "sqrt": "SQRT({0})",
        "sin": "SIN({0})",
        "floor": "INT({0})",
        "missing": "NOT(ISNUMBER({0}))",
        "equal": "IFERROR(({0})-({1})=0,FALSE)",  # of what is missing nothing is true
        "below": "IFERROR(({0})-({1})<0,FALSE)",
        "or": "OR({0},{1})",
        "and": "AND({0},{1})",
        "not": "NOT({0})",
        "choose": "IF({0},{1},{2})",
        "largest": "MAX({0})",
        "log_gamma": "GAMMALN({0})",
    },
    _chosen,
)
