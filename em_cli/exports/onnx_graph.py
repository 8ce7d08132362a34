"""A graph of ONNX operators, in double precision throughout, that scores rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from em_cli.errors import UsageError
from em_cli.exports.formula import Formula, choose, log_gamma, missing
from em_cli.exports.spelled_levels import spellings
from em_cli.exports.statement import Statement
from em_cli.sources.schema import Column

OPSET, OF_LEARNING, IR = 17, 2, 8  # the versions that runtimes of 2022 know
OPERATORS = {
    "+": "Add",
    "-": "Sub",
    "*": "Mul",
    "/": "Div",
    "ln": "Log",
    "exp": "Exp",
    "sqrt": "Sqrt",
    "sin": "Sin",
    "floor": "Floor",
    "missing": "IsNaN",
    "equal": "Equal",
    "below": "Less",
    "or": "Or",
    "and": "And",
    "not": "Not",
    "choose": "Where",
    "largest": "Max",
}
ROWS = ["rows"]
MATRICES = ("responsibilities", "predicted_by_component")
SCORES = ("component", "log_density", "uncertainty", "predicted", *MATRICES)


class _Graph:
    """Nodes as they are needed; what is there already is used again."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}
        self.names: dict[str, str] = {}  # the tensors of names
        self._known: dict[tuple[Any, ...], str] = {}

    def tensor(self, formula: Formula) -> str:
        """That of a formula, numbers or truths of rows or of all of them."""
        kind, parts = formula.kind, formula.parts
        if kind == "number":
            return self.constant(np.float64(str(parts[0])))
        if kind == "name":
            return self.names[str(parts[0])]
        found = [part for part in parts if isinstance(part, Formula)]
        if kind == "log_gamma":
            return self.tensor(log_gamma(found[0]))
        if kind == "lookup":
            return self._looked_up(found[0], [float(str(value.parts[0])) for value in found[1:]])
        return self.node(OPERATORS[kind], [self.tensor(part) for part in found])

    def _looked_up(self, code: Formula, values: Sequence[float]) -> str:
        """Whatever is there of a code that is missing."""
        there = self.tensor(choose(missing(code), 0.0, code))
        place = self.node("Cast", [there], to=TensorProto.INT64)
        return self.node("Gather", [self.constant(np.array(values)), place])

    def node(self, operator: str, inputs: Sequence[str], **attributes: Any) -> str:
        key = (operator, *inputs, *attributes.items())
        if key not in self._known:
            self._known[key] = f"em:{len(self._known)}"
            self.nodes.append(helper.make_node(operator, list(inputs), [self._known[key]], **attributes))
        return self._known[key]

    def constant(self, value: object) -> str:
        array = np.asarray(value)
        key = f"em:{array.dtype}:{array.tolist()!r}"
        self.constants.setdefault(key, numpy_helper.from_array(array, key))
        return key

    def of_rows(self, tensor: str, like: str) -> str:
        """One value for each row, where there was one for all."""
        return self.node("Expand", [tensor, self.node("Shape", [like])])

    def columns(self, tensors: Sequence[str]) -> str:
        """(rows, K) of K tensors."""
        axis = self.constant(np.array([1]))
        return self.node("Concat", [self.node("Unsqueeze", [tensor, axis]) for tensor in tensors], axis=1)


def onnx_bytes(statement: Statement, na: Sequence[float], head: Sequence[str]) -> Iterator[bytes]:
    """The model: an input for each column, by its name; outputs of all rows at once, by theirs.

    Columns of numbers are doubles, with NaN for what is missing as for the numbers `na`; those with levels are text.
    """
    if strange := [own for own in statement.schema.names if own in SCORES or own.startswith("em:")]:
        raise UsageError(f"column {strange[0]!r} is called as a score of --to onnx is: rename it, and fit again.")
    graph, inputs = _Graph(), []
    for j, column in enumerate(statement.schema.columns):
        inputs.append(_input(column))
        graph.names[f"x{j + 1}"] = _cell(graph, column, na)
    for step in statement.steps:
        graph.names |= {own: graph.tensor(formula) for own, formula in step.items()}
    outputs = [_named(graph, own, tensor) for own, tensor in _outputs(graph, statement)]
    made = helper.make_graph(graph.nodes, "mixture", inputs, outputs, [*graph.constants.values()], " ".join(head))
    versions = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", OF_LEARNING)]
    model = helper.make_model(
        made, opset_imports=versions, ir_version=IR, producer_name="em", doc_string=" ".join(head)
    )
    onnx.checker.check_model(model)
    yield model.SerializeToString(deterministic=True)


def _input(column: Column) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(column.name, TensorProto.STRING if column.levels else TensorProto.DOUBLE, ROWS)


def _cell(graph: _Graph, column: Column, na: Sequence[float]) -> str:
    """The cells as numbers, or the codes of their levels; NaN where one is missing, or not known."""
    if column.levels:
        known = spellings(column.levels)
        own = f"em:code of {column.name}"
        encoder = helper.make_node(
            "LabelEncoder",
            [column.name],
            [own],
            domain="ai.onnx.ml",
            keys_strings=list(known),
            values_floats=list(map(float, known.values())),
            default_float=float("nan"),
        )
        graph.nodes.append(encoder)
        return graph.node("Cast", [own], to=TensorProto.DOUBLE)
    if not na:
        return column.name
    marked = [graph.node("Equal", [column.name, graph.constant(np.float64(code))]) for code in na]
    gone = reduce(lambda one, other: graph.node("Or", [one, other]), marked)
    return graph.node("Where", [gone, graph.constant(np.float64(np.nan)), column.name])


def _outputs(graph: _Graph, statement: Statement) -> Iterator[tuple[str, str]]:
    """Component, responsibilities (the noise last), log_density, uncertainty; of regressions what is predicted."""
    lost = None if statement.refused is None else graph.tensor(statement.refused)

    def score(formula: Formula, otherwise: float = np.nan) -> str:
        found = graph.of_rows(graph.tensor(formula), graph.names["x1"])
        return found if lost is None else graph.node("Where", [lost, graph.constant(np.float64(otherwise)), found])

    found = dict(statement.outputs)
    yield "component", graph.node("Cast", [score(found.pop("component"), -1.0)], to=TensorProto.INT64)
    several: dict[str, list[str]] = {matrix: [] for matrix in MATRICES}
    for own, formula in found.items():
        if own in SCORES:
            yield own, score(formula)
        else:
            several[MATRICES[own.startswith("predicted")]].append(score(formula))
    yield from ((own, graph.columns(tensors)) for own, tensors in several.items() if tensors)


def _named(graph: _Graph, own: str, tensor: str) -> onnx.ValueInfoProto:
    graph.nodes.append(helper.make_node("Identity", [tensor], [own]))
    kind = TensorProto.INT64 if own == "component" else TensorProto.DOUBLE
    return helper.make_tensor_value_info(own, kind, [*ROWS, None] if own in MATRICES else ROWS)
