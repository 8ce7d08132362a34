"""From fits to what is written of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO

from em_cli.config.choices import latent_choice
from em_cli.config.texts import PLACE_KEYS, record
from em_cli.criteria import CRITERIA
from em_cli.display.search_words import trust
from em_cli.documents.manifest_json import Manifest
from em_cli.documents.params_json import Params
from em_cli.engine.documents import field as field_of
from em_cli.engine.events import ModelChosen
from em_cli.models.groups import Group, regression_in
from em_cli.outputs.document import Context, Scored
from em_cli.outputs.folder import Content, Written
from em_cli.outputs.manifest import to_json
from em_cli.outputs.run_folder import RunFolder
from em_cli.outputs.step_counts import TRANSITION_COLUMNS, transition_rows
from em_cli.outputs.tables import LEDGER_COLUMNS, TRACE_COLUMNS, csv_text, ledger_rows, trace_rows
from em_cli.runs.configure import Settings
from em_cli.runs.fitted_rows import responsibilities
from em_cli.runs.manifest_facts import Ended
from em_cli.runs.remembered import reading_of
from em_cli.search.ledger import Fitted
from em_cli.sources.table import Data


def context_of(settings: Settings, data: Data, groups: tuple[Group, ...], cut_by: str) -> Context:
    """What documents say of a run beside its fit; `cut_by` is what ended the climbs that were ended early."""
    config = settings.config
    return Context(
        schema=data.schema,
        groups=groups,
        latent=latent_choice(config).name,
        seed=config.seed,
        start="given" if settings.start else config.search.start.name,
        effort=settings.effort,
        tol=config.search.tol,
        max_iter=config.search.max_iter,
        criterion=config.criterion,
        cut_by=cut_by,
        n_rows_read=data.n_rows_read,
        n_samples=len(data.rows),
        missing=config.data.missing,
        n_missing=data.n_missing,
        spelled=data.spelled,
        weights_name=data.weights_name,
        label_names=data.label_names,
        weight_type=config.data.weight_type,
        data_sha256=data.data_sha256,
        config_sha256=settings.fingerprint,
        steps=_steps(settings, data),
        previous=settings.previous,
        names=tuple(config.names),
        reading=reading_of(config.data, data.id_name, data.marks, data.units, data.layout),
    )


def about_run(settings: Settings, data: Data, own: Mapping[str, object]) -> dict[str, object]:
    """What documents of topics and of haplotypes say of a run beside its fit, their `own` things among it."""
    config = settings.config
    asked = {"effort": settings.effort, "tol": config.search.tol, "max_iter": config.search.max_iter}
    inputs = {"data_sha256": data.data_sha256, "config_sha256": settings.fingerprint}
    return {**asked, "random_state": config.seed, **own, **inputs}


def _steps(settings: Settings, data: Data) -> dict[str, object] | None:
    """What a document says of sequences."""
    if data.sequences is None:
        return None
    own, found = settings.config.data, data.sequences
    if own.group is not None:
        return {"group_column": own.group, "n_groups": found.n_sequences}
    return {
        "sequence_column": own.sequence,
        "order_column": own.order,
        "step": None if own.step is None else str(own.step),
        "n_sequences": found.n_sequences,
        "n_steps": found.n_steps,
        "n_transitions": found.n_steps - found.n_sequences,
    }


def model_chosen(params: Params) -> ModelChosen:
    """The event that tells what came of a fit, and how far the search is to be trusted."""
    criteria = tuple((name, field_of(params, name)) for name in CRITERIA if params.get(name) is not None)
    label, k = params["covariance_type"] or params["family"], params["n_components"]
    return ModelChosen(label, k, params["log_likelihood"], criteria, trust(params))


Text = Callable[[Sequence[str]], Iterable[str]]  # of standard output, from the names of what was written


@dataclass(frozen=True, slots=True, eq=False)
class Delivery:
    """What a run writes and says of its fit, beside the account of its search."""

    result: Ended
    params: Mapping[str, object]  # its document
    tables: Mapping[str, Content]  # of the run folder, by name
    of_rows: Callable[[str], Content]  # what is said of each row, or document, for a file of this name
    text: Text
    of_sweep: Mapping[str, Content] = field(default_factory=dict)  # tables of all models, by name
    drawn: Callable[[str, dict[str, Content], Manifest], Mapping[str, Content]] = lambda *told: {}
    # pictures and the report, from the name of the folder, its files, of which `lines_of` keeps those that are shown,
    # and its manifest
    parts: Callable[[RunFolder], Mapping[str, Written]] = lambda folder: {}  # what others have written of the rows
    elsewhere: Callable[[], Sequence[str]] = lambda: ()  # writes what has a place of its own; what to say of it


def run_files(
    settings: Settings, document: Mapping[str, object], tables: Mapping[str, Content], fits: Sequence[Fitted]
) -> dict[str, Content]:
    """The files of a run folder, by name."""
    return {
        "params.json": [to_json(document)],
        **tables,
        "trace.csv": csv_text(TRACE_COLUMNS, trace_rows(fits)),
        "restarts.csv": csv_text(LEDGER_COLUMNS, ledger_rows(fits)),
        "run.yaml": [record(settings.config, PLACE_KEYS)],
    }


def lines_of(files: dict[str, Content], tables: Iterable[str]) -> dict[str, list[str]]:
    """The lines of these tables, which the files keep: they will be read once more when they are written."""
    found = dict[str, list[str]]()
    for name in tables:
        found[name] = lines = list(StringIO("".join(map(str, files.get(f"{name}.csv", ()))), newline=""))
        files |= {f"{name}.csv": lines} if lines else {}
    return found


def tables_of(
    settings: Settings, data: Data, document: Params, result: Scored, in_parts: bool = False
) -> dict[str, Content]:
    """What is said of the rows and the components of a mixture, by names of files; of rows not if that is in parts."""
    files = dict[str, Content]()
    if settings.config.responsibilities and not in_parts:
        form = settings.config.responsibilities_format
        files[f"responsibilities.{form}"] = responsibilities(result, data, settings.config, form)
    if (counted := transition_rows(result)) is not None:
        files["transitions.csv"] = csv_text(TRANSITION_COLUMNS, counted)
    if (group := regression_in(result.loaded.groups)) is not None:
        from em_cli.outputs.predictions import COEFFICIENT_COLUMNS, coefficient_rows

        files["coefficients.csv"] = csv_text(COEFFICIENT_COLUMNS, coefficient_rows(result.loaded, document, group))
    if result.naming.about is not None:
        files["matched.csv"] = result.naming.rows(document["weights"])
    return files
