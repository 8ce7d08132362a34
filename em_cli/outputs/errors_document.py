"""Standard errors as a document holds them: by the names of the parameters, in their shapes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from typing import Any

from em_cli.engine.arrays import Array
from em_cli.inference.standard_errors import MODEL_DOUBTED, StandardErrors


def errors_document(found: StandardErrors, wanted: str, columns: Sequence[str]) -> dict[str, object]:
    """Both kinds of errors, and which of them are to be believed: those wanted, robust ones in doubt of the model."""
    robust = wanted == "robust" or (wanted == "auto" and found.ratio > MODEL_DOUBTED)
    sandwich = {"robust": _by_name(found.document, found.robust, columns)} if found.no_robust is None else {}
    return {
        "reported": "robust" if robust and sandwich else "observed",
        "reason": found.no_robust,
        **({"robust_ratio": found.ratio} if sandwich else {}),
        "information_left": found.information_left,
        "hardly_told": list(found.hardly_told),
        "without": dict(found.without),
        "observed": _by_name(found.document, found.observed, columns),
        **sandwich,
    }


def no_errors_document(reason: str) -> dict[str, object]:
    return {"reported": None, "reason": reason}


def _by_name(document: Mapping[str, object], errors: Array, columns: Sequence[str]) -> dict[str, object]:
    shaped = _shaped(document, iter(errors.tolist()))
    means, sds = shaped.pop("mean"), shaped.pop("sd")
    components = [
        {
            "component": k + 1,
            "weight": shaped["weights"][k],
            "mean": dict(zip(columns, mean, strict=True)),
            "sd": dict(zip(columns, sd, strict=True)),
        }
        for k, (mean, sd) in enumerate(zip(means, sds, strict=True))
    ]
    return {name: value for name, value in shaped.items() if _any(value)} | {"components": components}


def _shaped(node: object, errors: Iterator[float]) -> Any:
    """The document with each number replaced by its error, None where it has none."""
    if isinstance(node, Mapping):
        return {key: _shaped(value, errors) for key, value in node.items()}
    if isinstance(node, list):
        return [_shaped(value, errors) for value in node]
    if isinstance(node, float):
        error = next(errors)
        return error if isfinite(error) else None
    return None


def _any(node: object) -> bool:
    if isinstance(node, Mapping):
        return any(_any(value) for value in node.values())
    if isinstance(node, list):
        return any(_any(value) for value in node)
    return node is not None
