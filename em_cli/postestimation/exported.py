"""A model in another language."""

from __future__ import annotations

import csv
import re
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import cast

from em_cli import __version__
from em_cli.errors import UsageError
from em_cli.exports.exportable import why_not
from em_cli.exports.pmml import pmml_text
from em_cli.exports.python import python_text
from em_cli.exports.r import mclust_of, r_text
from em_cli.exports.sql import DIALECTS, sql_text
from em_cli.exports.statement import Statement, statement_of
from em_cli.exports.together import together_of
from em_cli.exports.topic_module import topics_text
from em_cli.inference.comparison import in_letters
from em_cli.models.variational import VARIATIONAL
from em_cli.outputs.folder import Content
from em_cli.outputs.model_file import LoadedModel
from em_cli.outputs.topics_file import LoadedTopics
from em_cli.postestimation.plain_cells import plain_numbers, rows_of_file
from em_cli.printable import harmful, safe
from em_cli.registry import did_you_mean
from em_cli.runs.remembered import remembered
from em_cli.sources.corpus_options import CorpusOptions
from em_cli.sources.schema import Schema

TARGETS = ("sql", "python", "r", "onnx", "excel", "pmml")
LIBRARIES = {"onnx": "onnx", "excel": "openpyxl"}
BINARY = tuple(LIBRARIES)
KINDS = {"excel": ".xlsx"}  # of files, that must be called so
XML = ("excel", "pmml")
NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # 1.0, section 2.2
ROWS = 1000  # of a workbook


def exported(
    loaded: LoadedModel | LoadedTopics,
    path: str,
    to: str,
    dialect: str | None,
    table: str | None,
    keep: str | None,
    rows: int | None = None,
) -> Content:
    """The text, or the bytes; `UsageError` if the model has no closed form, or what is asked for makes no sense."""
    _check(loaded.document, to, dialect, table, keep, rows)
    if isinstance(loaded, LoadedTopics):
        corpus = CorpusOptions.of(loaded.document["corpus"])
        return topics_text(loaded.terms, loaded.law.expected_log, loaded.alpha, corpus, _head_of_topics(loaded, path))
    wide = loaded.with_gaps
    statement = statement_of(
        loaded.document, loaded.schema, loaded.groups, wide.model.family, wide.parameters.components
    )
    missing, head = _missing(loaded), _head(loaded, path)
    _check_characters(loaded.schema, to)
    if to == "python":
        together = together_of(loaded.document, loaded.response is not None, _moments(loaded))
        return python_text(statement, missing, head, together)
    if to == "r":
        return r_text(statement, missing, head, _mclust(wide))
    if to == "pmml":
        return pmml_text(statement, missing, head, __version__)
    if to in BINARY:
        return _file(to, statement, missing, rows, head)
    kept = _kept(loaded, keep)
    _check_names([*dict.fromkeys([*loaded.schema.names, *kept])], kept, statement, dialect or "duckdb")
    return sql_text(statement, DIALECTS[dialect or "duckdb"], table or "data", kept, missing, head)


def how_to_run(
    loaded: LoadedModel | LoadedTopics, to: str, dialect: str | None, table: str | None, out: str
) -> str | None:
    """How the rows of a file are scored by a statement of SQL that stands in a file; None of other targets."""
    if to != "sql":
        return None
    runs = {
        "sqlite": "sqlite3 NEW.db < {0}",
        "postgres": "psql -f {0}",
        "bigquery": "bq query --use_legacy_sql=false < {0}",
    }
    if dialect in runs:
        return f"{out} scores the rows of table {table or 'data'}: {runs[dialect].format(shlex.quote(out))}"
    name = table or "data"
    quoted = name if name.isidentifier() else '"' + name.replace('"', '""') + '"'
    made = _in_shell(f"CREATE VIEW {quoted} AS {rows_of_file(loaded)}")
    there = "" if shutil.which("duckdb") else " (pip install duckdb-cli)"
    return f"{out} scores the rows of a file, here NEW.csv{there}: duckdb -c {made} -c {shlex.quote(f'.read {out}')}"


def _in_shell(statement: str) -> str:
    """One word of a shell, which is easier to read than that of `shlex.quote` where it has quotes of both kinds."""
    if "!" in statement:  # within quotes of this kind it recalls earlier commands
        return shlex.quote(statement)
    return '"' + re.sub(r'(["$`\\])', r"\\\1", statement) + '"'


def _check(
    document: Mapping[str, object],
    to: str,
    dialect: str | None,
    table: str | None,
    keep: str | None,
    rows: int | None,
) -> None:
    if to not in TARGETS:
        raise UsageError(f"--to {to!r} is nothing that a model can be exported to{did_you_mean(to, TARGETS)}")
    if to != "sql" and (option := _of_sql(dialect, table, keep)):
        raise UsageError(f"{option} is about SQL, and does not apply to --to {to}.")
    if rows is not None and to != "excel":
        raise UsageError(f"--rows is about workbooks, and does not apply to --to {to}.")
    if dialect is not None and dialect not in DIALECTS:
        raise UsageError(f"unknown dialect {dialect!r}{did_you_mean(dialect, DIALECTS)}")
    if table == "":
        raise UsageError("--table '' names nothing.")
    if (why := why_not(document, to)) is not None:
        raise UsageError(why)


def _check_characters(schema: Schema, to: str) -> None:
    """`UsageError` if names or levels hold what no document of XML can."""
    texts = (text for column in schema.columns for text in (column.name, *column.levels))
    if to in XML and (bad := next(filter(NOT_IN_XML.search, texts), None)) is not None:
        raise UsageError(
            f"--to {to}: {bad!r} holds a control character, which documents of XML cannot: "
            "export to sql, python, r or onnx, or use em predict."
        )


def _check_names(names: Sequence[str], kept: Sequence[str], statement: Statement, dialect: str) -> None:
    """`UsageError` if a database would take two of these columns for one, or a column to keep for a score."""
    folded = {name: name if dialect == "postgres" else name.casefold() for name in names}
    first = {short: name for name, short in reversed(folded.items())}
    if alike := [name for name, short in folded.items() if first[short] != name]:
        raise UsageError(
            f"columns {first[folded[alike[0]]]!r} and {alike[0]!r} differ in capital letters only, and are one to "
            f"{dialect}: rename one and fit again, or export by --dialect postgres, to python or to r."
        )
    scores = {label for label, _ in statement.outputs}
    if clash := [name for name in kept if folded[name] in scores]:
        raise UsageError(
            f"a column to keep has the name of a score, {clash[0]!r}: say by --keep which others stand before the "
            "scores (--keep '' for none)."
        )


def check_shown(to: str, out: str | None) -> None:
    """`UsageError` if a terminal would get what it cannot show."""
    if to in BINARY and out is None and sys.stdout.isatty():
        raise UsageError(f"--to {to} is a file that a terminal does not show: name it with --out.")


def checked_text(content: Content, out: str | None) -> Content:
    """The same; `UsageError` if a terminal would do what is written, as names of columns may be."""
    if out is not None or not sys.stdout.isatty():
        return content
    lines = list(content)
    if any(isinstance(line, str) and harmful(line) for line in lines):
        raise UsageError("names of columns hold characters that act on a terminal: write to a file, by --out.")
    return cast(Content, lines)


def _file(to: str, statement: Statement, missing: Sequence[float], rows: int | None, head: Sequence[str]) -> Content:
    """Written by a library that not everybody has."""
    if find_spec(LIBRARIES[to]) is None:
        raise UsageError(f'--to {to} needs pip install "em-cli[{to}]".')
    if to == "excel":
        from em_cli.exports.workbook import excel_bytes

        return excel_bytes(statement, missing, rows or ROWS, head)
    from em_cli.exports.onnx_graph import onnx_bytes

    return onnx_bytes(statement, missing, head)


def _moments(loaded: LoadedModel) -> dict[str, tuple[list[float], list[float]]]:
    """Means and standard deviations of the columns of numbers, state by state, where rows can be forecast."""
    if not loaded.ordered or loaded.response is not None:
        return {}
    means, sds = loaded.model.family.moments(loaded.parameters.components)
    return {
        column.name: (means[:, place].tolist(), sds[:, place].tolist())
        for place, column in enumerate(loaded.schema.columns)
        if not column.levels
    }


def _mclust(loaded: LoadedModel) -> dict[str, object] | None:
    """What the object of mclust holds, which knows mixtures of Gaussian components of its structures alone."""
    document, model = loaded.document, loaded.model
    told = in_letters(str(document.get("structure"))) and document.get("inference") != VARIATIONAL
    if model.family.elliptic is None or not told or not model.latent.is_bayes_alone or loaded.schema.transforms:
        return None
    found, *others = model.family.elliptic.ellipsoids(loaded.parameters.components)
    if others or found.dof is not None or len(found.columns) < len(loaded.schema.columns):
        return None
    return mclust_of(loaded.schema.names, document["weights"], found, model.n_parameters)


def _of_sql(dialect: str | None, table: str | None, keep: str | None) -> str | None:
    said = {"--dialect": dialect, "--table": table, "--keep": keep}
    return next((option for option, value in said.items() if value is not None), None)


def _kept(loaded: LoadedModel, keep: str | None) -> Sequence[str]:
    if keep is not None:
        return next(csv.reader([keep]))
    name = remembered(loaded).get("id")
    return [str(name)] if name is not None else loaded.schema.names


def _missing(loaded: LoadedModel) -> list[float]:
    """Numbers that stand for missing cells, as the data of the model had them."""
    found = []
    for code in remembered(loaded).get("na", []):
        try:
            found.append(float(code))
        except ValueError:
            continue
    return found


def _head_of_topics(loaded: LoadedTopics, path: str) -> list[str]:
    return [
        f"{len(loaded.alpha)} topics of {safe(path)}; by em {__version__}.",
        "What documents are about: tokens, the largest topic and the shares of all, as em predict gives them.",
    ]


def _head(loaded: LoadedModel, path: str) -> list[str]:
    document, plain = loaded.document, plain_numbers(loaded)
    return [
        f"{document['n_components']} components, family {document['family']}, of {safe(path)}; by em {__version__}.",
        "component (0: noise), probabilities, log-density and uncertainty of each row, as em predict gives them.",
        *([f"Note: {safe(plain)}."] if plain else []),
    ]
