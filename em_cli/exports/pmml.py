"""PMML 4.4: derived fields for the steps of the score, and a softmax of what they find of the components."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from em_cli.errors import UsageError
from em_cli.exports.formula import Formula, call, choose, label, log_gamma
from em_cli.exports.spelled_levels import spellings, trimmed
from em_cli.exports.statement import Statement
from em_cli.printable import xml_escaped
from em_cli.sources.schema import Column

SPACE = "http://www.dmg.org/PMML-4_4"
FUNCTIONS = {"missing": "isMissing", "below": "lessThan", "choose": "if", "largest": "max"}  # it has other words
OF_NUMBERS = ("ln", "exp", "sqrt", "sin", "floor")  # evaluators may refuse to apply these to what is missing
OWN = "em."  # begins the names of steps, which might else be those of columns
NUMBER = {"optype": "continuous", "dataType": "double"}
LEVEL = {"optype": "categorical", "dataType": "string"}


def pmml_text(statement: Statement, na: Sequence[float], head: Sequence[str], version: str) -> Iterator[str]:
    """The document: its fields are the columns by their names, and its outputs the scores by theirs."""
    scores = {own for own, _ in statement.outputs}
    if strange := [own for own in statement.schema.names if own in scores or own.startswith(OWN)]:
        raise UsageError(f"column {strange[0]!r} is called as a score of --to pmml is: rename it, and fit again.")
    root = Element("PMML", {"xmlns": SPACE, "version": "4.4"})
    header = SubElement(root, "Header", {"description": " ".join(head)})
    SubElement(header, "Application", {"name": "em", "version": version})
    dictionary = SubElement(root, "DataDictionary")
    for column in statement.schema.columns:
        SubElement(dictionary, "DataField", {"name": column.name, **(LEVEL if column.levels else NUMBER)})
    made = SubElement(root, "TransformationDictionary")
    for j, column in enumerate(statement.schema.columns):
        _cell(made, f"x{j + 1}", column, na)
    steps = [*statement.steps]
    if statement.refused is not None:
        steps.insert(0, {"refused": choose(statement.refused, label(1), label(0))})
    for step in steps:
        for own, formula in step.items():
            _express(_derived(made, own), formula)
    _model(root, statement)
    indent(root)
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield xml_escaped(tostring(root, encoding="unicode") + "\n")


def _derived(parent: Element, own: str) -> Element:
    return SubElement(parent, "DerivedField", {"name": f"{OWN}{own}", **NUMBER})


def _cell(made: Element, own: str, column: Column, na: Sequence[float]) -> None:
    """The cell as a number, or the code of its level; missing where it is, or where the level is not known."""
    if not column.levels:
        parent = _derived(made, own)
        if na:
            parent = SubElement(parent, "Apply", {"function": "if"})
            apart = SubElement(parent, "Apply", {"function": "isNotIn", "mapMissingTo": "false"})
            SubElement(apart, "FieldRef", {"field": column.name})
            for code in na:
                _constant(apart, repr(code))
        SubElement(parent, "FieldRef", {"field": column.name})
        return
    field = column.name
    if trimmed(column.levels):
        field = f"{OWN}text of {own}"
        there = SubElement(SubElement(made, "DerivedField", {"name": field, **LEVEL}), "Apply", {"function": "if"})
        for function in ("isNotMissing", "trimBlanks"):
            SubElement(SubElement(there, "Apply", {"function": function}), "FieldRef", {"field": column.name})
    table = SubElement(_derived(made, own), "MapValues", {"outputColumn": "code", "dataType": "double"})
    SubElement(table, "FieldColumnPair", {"field": field, "column": "level"})
    rows = SubElement(table, "InlineTable")
    for text, code in spellings(column.levels).items():
        row = SubElement(rows, "row")
        SubElement(row, "level").text = text
        SubElement(row, "code").text = str(code)


def _model(root: Element, statement: Statement) -> None:
    """Bayes' rule is a softmax, of one outcome nothing; the outputs beside it are formulas."""
    names = [own for own, _ in statement.outputs]
    places = {own: own.removeprefix("p") for own in names if own == "noise" or own[1:].isdecimal()}
    categories = {own: "0" if own == "noise" else place for own, place in places.items()}
    told = {"functionName": "classification", "normalizationMethod": "softmax"}
    if len(places) == 1:  # a classification has two categories at least
        told, categories = {"functionName": "regression"}, {}
    model = SubElement(root, "RegressionModel", told)
    schema = SubElement(model, "MiningSchema")
    for column in statement.schema.columns:
        SubElement(schema, "MiningField", {"name": column.name, "invalidValueTreatment": "asIs"})
    outputs = SubElement(model, "Output")
    for own, formula in statement.outputs:
        if own == "component" and categories:
            SubElement(outputs, "OutputField", {"name": own, **LEVEL, "feature": "predictedValue"})
        elif own == "component":
            found = SubElement(outputs, "OutputField", {"name": own, **LEVEL, "feature": "transformedValue"})
            SubElement(_unless_refused(found, statement), "Constant", {"dataType": "string"}).text = "1"
        elif own in categories:
            about = {"name": own, **NUMBER, "feature": "probability", "value": categories[own]}
            SubElement(outputs, "OutputField", about)
        else:
            found = SubElement(outputs, "OutputField", {"name": own, **NUMBER, "feature": "transformedValue"})
            _express(_unless_refused(found, statement), formula)
    local = Element("LocalTransformations")
    model.append(local)
    for k, place in enumerate(places):
        _express(_unless_refused(_derived(local, f"score{k + 1}"), statement), Formula("name", (f"joint{k + 1}",)))
        target = {"targetCategory": categories[place]} if categories else {}
        table = SubElement(model, "RegressionTable", {"intercept": "0", **target})
        SubElement(table, "NumericPredictor", {"name": f"{OWN}score{k + 1}", "coefficient": "1"})


def _unless_refused(parent: Element, statement: Statement) -> Element:
    """Where a value stands that is missing if a cell is none that the model describes."""
    if statement.refused is None:
        return parent
    found = SubElement(parent, "Apply", {"function": "if"})
    _express(found, call("equal", Formula("name", ("refused",)), 0.0))
    return found


def _constant(parent: Element, text: str) -> None:
    SubElement(parent, "Constant", {"dataType": "double"}).text = text


def _may_be_missing(formula: Formula) -> bool:
    """Whether it is about cells, or what is expected given them."""
    if formula.kind == "name":
        return str(formula.parts[0]).startswith(("x", "y", "predictor"))
    return any(_may_be_missing(part) for part in formula.parts if isinstance(part, Formula))


def _express(parent: Element, formula: Formula) -> None:
    """Of what is missing no comparison is true, and of numbers that are missing there are none."""
    kind, parts = formula.kind, formula.parts
    if kind == "number":
        return _constant(parent, repr(float(str(parts[0]))))
    if kind == "name":
        SubElement(parent, "FieldRef", {"field": f"{OWN}{parts[0]}"})
        return None
    found = [part for part in parts if isinstance(part, Formula)]
    if kind == "log_gamma":
        return _express(parent, log_gamma(found[0]))
    if kind == "lookup":
        code, *values = found
        ways = list(enumerate(values[:-1]))[::-1]
        return _express(
            parent, reduce(lambda no, way: choose(call("equal", code, float(way[0])), way[1], no), ways, values[-1])
        )
    if kind in OF_NUMBERS and _may_be_missing(found[0]):
        parent = SubElement(parent, "Apply", {"function": "if"})
        _express(SubElement(parent, "Apply", {"function": "isNotMissing"}), found[0])
    of_missing = {"mapMissingTo": "false"} if kind in ("equal", "below") else {}
    apply = SubElement(parent, "Apply", {"function": FUNCTIONS.get(kind, kind), **of_missing})
    for part in found:
        _express(apply, part)
    return None
