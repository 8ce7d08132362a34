"""What a summary says of the standard errors of a fit."""

from __future__ import annotations

from collections.abc import Mapping

from em_cli.display.search_words import number
from em_cli.inference.standard_errors import HARDLY_TOLD, MODEL_DOUBTED
from em_cli.printable import safe

OF_ROWS = {"numeric", "binary", "categorical"}  # columns whose variances in a component are those of its rows


def words_of_certainty(document: Mapping[str, object]) -> list[str]:
    """What the signs of the table mean, and how far they are to be believed."""
    found = _found(document)
    kind, ratio, left = found.get("reported"), number(found.get("robust_ratio")), number(found.get("information_left"))
    components = document.get("components")
    numbers = any(
        isinstance(c, Mapping) and c.get("mean") for c in (components if isinstance(components, list) else ())
    )
    if kind is None or left is None:
        return [f"In brackets: the standard deviation {_whose(document)}."] if numbers else []
    told = "± standard error of the estimate" + (f"; (standard deviation {_whose(document)})." if numbers else ".")
    if ratio is None and isinstance(reason := found.get("reason"), str):
        told += f" {safe(reason[:1].upper() + reason[1:])}"
    if ratio is not None and ratio > MODEL_DOUBTED:
        which = "The ± above are the robust ones." if kind == "robust" else "The ± above are the model's own."
        told += (
            f" The robust standard errors are up to {ratio:.1f} times the model's own: the components may not be quite "
            f"of the assumed shape. {which}"
        )
    names = found.get("hardly_told")
    if left < HARDLY_TOLD and isinstance(names, list) and names:
        apart = list(dict.fromkeys(_in_words(str(name)) for name in names))
        told += f" The data hardly tell the {safe(', the '.join(apart))} apart: "
        told += f"as little as {100 * left:.2g} % is left of what labelled rows would tell of them."
    return [told]


def _whose(document: Mapping[str, object]) -> str:
    """Whose standard deviations are shown: those of its rows where maximum likelihood makes a component have them."""
    if document.get("prior") == "weak":
        return "under the prior, which is not that of the rows"
    columns = document.get("columns")
    told = [one for one in columns if isinstance(one, Mapping)] if isinstance(columns, list) else []
    own = all(one.get("type") in OF_ROWS and not one.get("transform") for one in told)
    return "of the rows" if own else "by the model"


def _in_words(name: str) -> str:
    """`rates[2][1]`, a place in the document, as what it is of which component."""
    parameter, _, places = name.rpartition(".")[2].partition("[")
    component = places.partition("]")[0]
    if name.startswith("concomitant.") and component:
        return f"log-odds of component {int(component) + 1}"
    if parameter == "transmat":
        return f"steps from state {component}"
    singular = "weight" if parameter == "weights" else parameter.replace("_", " ")
    return f"{singular} of component {component}" if component else singular


def _found(document: Mapping[str, object]) -> Mapping[str, object]:
    found = document.get("standard_errors")
    return found if isinstance(found, Mapping) else {}
