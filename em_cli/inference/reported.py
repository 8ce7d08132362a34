"""What documents report of how sure a fit is, as anyone may have edited them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from em_cli.documents.known import known_as
from em_cli.documents.params_json import ComponentErrors

SMALLEST_P = 1e-6  # by an asymptotic law


def reported_errors(document: Mapping[str, object]) -> Mapping[str, object]:
    """Those that are to be believed, in the shapes of the parameters; none where there are none."""
    found = document.get("standard_errors")
    own = found.get(str(found.get("reported"))) if isinstance(found, Mapping) else None
    return own if isinstance(own, Mapping) else {}


def errors_of_components(document: Mapping[str, object], n: int) -> Sequence[ComponentErrors] | None:
    """Those of weight, mean and standard deviation of each of n components; None if there are none."""
    components = reported_errors(document).get("components")
    if not isinstance(components, list) or len(components) < n:
        return None
    several = [known_as(ComponentErrors, component) for component in components[:n] if isinstance(component, Mapping)]
    return several if len(several) == n else None


def p_in_words(test: Mapping[str, object]) -> str:
    """Never zero: what so many replicates can tell, with as many digits as they have."""
    if test["p"] is None:
        return "none: most replicates are lost"
    return f"p {short_p(test)} ({test['exceed']:,} of {test['replicates']:,})"


def short_p(test: Mapping[str, object]) -> str:
    """Whether p is at or below what, and that."""
    if not test["exceed"]:
        return f"< {test['p']:.{max(2, len(str(test['replicates'])))}g}"
    return f"= {test['p']:.2g}"


def tail_in_words(p: float) -> str:
    """Of a test by its asymptotic law, which says little of far tails: never zero."""
    return "p < 1e-6" if p < SMALLEST_P else f"p = {p:.2g}"


def test_in_table(row: Mapping[str, object]) -> dict[str, object] | None:
    """The test that a row of the table of a sweep tells: of its K against K + 1; None if it tells none."""
    if row.get("test_statistic") is None:
        return None
    k = int(str(row["k"]))
    own = {name: row[f"test_{name}"] for name in ("statistic", "replicates", "exceed", "p", "stop")}
    return own | {"k0": k, "k1": k + 1}


def tests_in_words(rows: Sequence[Mapping[str, object]]) -> str:
    """What the tests in the table of a sweep say, and why others were not made; "" if none were wanted."""
    told = []
    for row in sorted(rows, key=lambda row: int(str(row["k"]))):
        test, stop = test_in_table(row), row.get("test_stop")
        if test is not None:
            told.append(f"{test['k1']} against {test['k0']}: {p_in_words(test)}")
        elif stop:
            told.append(f"{int(str(row['k'])) + 1} against {row['k']}: {stop}")
    return "; ".join(told)
