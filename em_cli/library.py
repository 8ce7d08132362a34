"""The program as a library: a fitted model as an object, and a mixture as scikit-learn knows estimators.

model = em_cli.load("faithful-k2.em")
model.predict(frame)                       # as em predict, score, sample and impute
em_cli.Mixture(3).fit_predict(x)           # as em fit
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from em_cli.commands.fit import fit_one
from em_cli.documents.params_json import Params
from em_cli.engine.arrays import Array, Integers
from em_cli.engine.scoring import RowScores
from em_cli.errors import DataError, EmError
from em_cli.options import (
    ColumnOptions,
    DataOptions,
    FitModelOptions,
    FolderOptions,
    PlaceOptions,
    ReadingOptions,
    RunOptions,
    ScreenOptions,
    SearchOptions,
)
from em_cli.outputs.model_file import LoadedModel, read_model
from em_cli.outputs.predictions import means_given
from em_cli.outputs.tables import uncertain
from em_cli.postestimation.drawn_rows import parts_drawn
from em_cli.postestimation.score_totals import score_document
from em_cli.runs.new_sequences import new_sequences
from em_cli.runs.record import doubts_in
from em_cli.runs.request import requested
from em_cli.runs.row_scores import reading_for
from em_cli.sources.given_rows import LABEL, Frame, frame_given, frame_of, piece_given, written
from em_cli.sources.schema import Column
from em_cli.sources.stream import Chunk, chunk_of


@dataclass(frozen=True, eq=False)
class FittedModel:
    """A model of a run folder. Rows are a frame, columns by name, or an array (n, D) in the order of `columns`.

    Missing cells are None or NaN; levels that the model has not seen count as such, with a warning. `EmError`
    says what is wrong with rows, as the command line does.
    """

    _loaded: LoadedModel = field(repr=False)

    @property
    def document(self) -> Params:
        """What `params.json` holds."""
        return self._loaded.document

    @property
    def n_components(self) -> int:
        return self._loaded.model.n_components

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns that the model describes."""
        return self._loaded.schema.names

    def predict(self, rows: object) -> Frame:
        """component (0 is noise), p1 … pK, log_density, uncertainty of each row; of regressions, what is predicted."""
        chunk, scores = self._scored(rows)
        k, outcome = self.n_components, scores.responsibilities.argmax(axis=0)
        names = [*(f"p{place + 1}" for place in range(k)), *self._loaded.model.latent.extra]
        found: dict[str, Any] = {"component": np.where(outcome < k, outcome + 1, 0)}
        found |= dict(zip(names, scores.responsibilities, strict=True))
        found |= {"log_density": scores.log_density, "uncertainty": uncertain(scores.responsibilities, outcome)}
        if (means := means_given(self._loaded, chunk.x)) is not None:
            found["predicted"] = (scores.responsibilities[:k] * means).sum(axis=0)
        return frame_of(found)

    def score(self, rows: object) -> dict[str, Any]:
        """Log-likelihood and criteria of all rows, as `em score` gives them."""
        return score_document(self._loaded, [self._scored(rows)])

    def sample(self, n: int, seed: int = 0) -> Frame:
        """n rows drawn from the model; what tells mixing weights is not drawn."""
        return self.drawn(n, seed)[0]

    def drawn(self, n: int, seed: int = 0) -> tuple[Frame, Integers]:
        """The same, and which component each is of: 0 … K − 1, or −1, which is noise."""
        if self._loaded.response is not None:
            raise DataError("a regression tells its response given other columns: em sample --given draws it.")
        parts = list(parts_drawn(self._loaded, n, seed))
        rows = self._frame(np.concatenate([x for x, _ in parts], axis=1)).drop(columns=self._loaded.told)
        outcomes = np.concatenate([drawn for _, drawn in parts])
        return rows, np.where(outcomes < self.n_components, outcomes, -1)

    def impute(self, rows: object, seed: int | None = None) -> Frame:
        """The columns of the model with missing cells at what is expected or likeliest; drawn, if there is a seed."""
        chunk, scores = self._scored(rows)
        rng = None if seed is None else np.random.default_rng((seed, 1, 0))
        known = scores.responsibilities if self._loaded.sequential else None
        return self._frame(self._loaded.completed(chunk.x, rng, known))

    def _scored(self, rows: object) -> tuple[Chunk, RowScores]:
        options = reading_for(self._loaded, ReadingOptions())
        chunk = chunk_of(piece_given(rows, self.columns), self._loaded.schema.columns, replace(options, id=None))
        for name, n in chunk.unseen.items():
            warnings.warn(f"{n} cells of {name!r} hold levels that the model has not seen: missing.", stacklevel=3)
        for name, unit in chunk.units.items():
            warnings.warn(
                f"cells of {name!r} wear {unit!r}, those of the model did not: taken for the same.", stacklevel=3
            )
        if self._loaded.sequential:
            found = new_sequences(self._loaded, [chunk], options)
            return found.whole, found.scores
        return chunk, self._loaded.score(chunk.x)

    def _frame(self, x: Array) -> Frame:
        columns = self._loaded.schema.columns
        return frame_of({column.name: _cells(column, values) for column, values in zip(columns, x, strict=True)})


def _cells(column: Column, values: Array) -> list[object]:
    """With None where nothing is known."""
    known = ~np.isnan(values)
    found = iter(column.cells(values[known]))
    return [next(found) if there else None for there in known.tolist()]


def load(path: str | Path) -> FittedModel:
    """The model of a run folder or of a `params.json`; `EmError` says what is wrong with it."""
    return FittedModel(read_model(str(path)))


class Unfit(DataError, ValueError):
    """What is wrong with the rows, as the exception that scikit-learn wants it to be."""


class NoCell(Unfit, TypeError):
    """A cell that is neither a number nor text, likewise."""

    @staticmethod
    def check(rows: object) -> None:
        """Of an array of objects, that each can stand in a table."""
        if not isinstance(rows, np.ndarray) or rows.dtype != object:
            return
        if (
            strange := next((cell for cell in rows.flat if isinstance(cell, dict | list | set | tuple)), None)
        ) is not None:
            kind = type(strange).__name__
            raise NoCell(f"{LABEL}: a cell holds a {kind}; each argument must be a string or a real number.")


@contextmanager
def _as_value_errors(file: str | None = None) -> Iterator[None]:
    """The same mistakes, without the name of a file that nobody has seen."""
    try:
        yield
    except NoCell:
        raise
    except EmError as error:
        raise Unfit(str(error).replace(file, LABEL) if file else str(error)) from None


class Mixture:
    """`em fit` as an estimator: parameters as on the command line, labels 0 … K − 1 (−1 is noise).

    It can be cloned, stand in a pipeline and be searched over. `fit` takes what `FittedModel` takes; the columns of
    an array are numbers. What `--strict` calls doubtful is a warning; mistakes are ValueErrors, in the same words.
    """

    def __init__(
        self,
        n_components: int = 2,
        *,
        family: str | None = None,
        covariance: str | None = None,
        latent: str | None = None,
        prior: str | None = None,
        effort: str | None = None,
        seed: int = 0,
    ) -> None:
        self.n_components = n_components
        self.family = family
        self.covariance = covariance
        self.latent = latent
        self.prior = prior
        self.effort = effort
        self.seed = seed

    def get_params(self, deep: bool = True) -> dict[str, object]:
        return {name: getattr(self, name) for name in PARAMETERS}

    def set_params(self, **params: Any) -> Mixture:
        for name, value in params.items():
            if name not in PARAMETERS:
                raise ValueError(f"Mixture has no parameter {name!r}: it has {', '.join(PARAMETERS)}.")
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        said = ", ".join(f"{name}={getattr(self, name)!r}" for name in PARAMETERS if getattr(self, name) is not None)
        return f"Mixture({said})"

    def fit(self, X: object, y: object = None) -> Mixture:
        """Find the best fit. `model_` is a `FittedModel`."""
        with tempfile.TemporaryDirectory() as folder, _as_value_errors(data := str(Path(folder) / "data.csv")):
            NoCell.check(X)
            frame, out = frame_given(X), str(Path(folder) / "run")
            if len(frame) == 1:
                raise Unfit(f"{LABEL}: one sample, and a fit needs two.")
            written(frame, data)
            model = FitModelOptions(
                k=str(self.n_components),
                family=self.family,
                covariance=self.covariance,
                latent=self.latent,
                prior=self.prior,
            )
            types = None if hasattr(X, "columns") or isinstance(X, Mapping) else [f"{name}=numeric" for name in frame]
            search = SearchOptions(effort=self.effort, other_families=False)
            _fit(data, out, DataOptions(ColumnOptions(types=types)), model, search, self.seed)
            self.model_ = load(out)
        for doubt in doubts_in(self.model_.document):
            warnings.warn(doubt["message"], stacklevel=2)
        self.n_features_in_, self._framed = frame.shape[1], types is None
        self.feature_names_in_ = np.array(frame.columns, dtype=object)
        document = self.model_.document
        self.weights_ = np.array(document["weights"])
        self.n_iter_, self.converged_ = document["n_iter"], document["converged"]
        return self

    def predict(self, X: object) -> Integers:
        """(n,) the likeliest component of each row."""
        labels: Integers = self._predicted(X)["component"].to_numpy() - 1
        return labels

    def fit_predict(self, X: object, y: object = None) -> Integers:
        return self.fit(X).predict(X)

    def predict_proba(self, X: object) -> Array:
        """(n, K), and the noise last where there is one."""
        found = self._predicted(X)
        return found.loc[:, "p1":"log_density"].iloc[:, :-1].to_numpy()

    def score_samples(self, X: object) -> Array:
        """(n,) log-densities."""
        found: Array = self._predicted(X)["log_density"].to_numpy()
        return found

    def score(self, X: object, y: object = None) -> float:
        """The mean log-density of a row."""
        return float(self.score_samples(X).mean())

    def sample(self, n_samples: int = 1) -> tuple[Any, Integers]:
        """So many rows drawn from the model, and their labels: a frame if it was fitted to one, else an array."""
        if n_samples < 1:
            raise ValueError(f"n_samples={n_samples}: at least one row must be drawn.")
        with _as_value_errors():
            drawn, labels = self._fitted.drawn(n_samples, self.seed)
        return drawn if self._framed else drawn.to_numpy(), labels

    def bic(self, X: object) -> float:
        """Lower is better, as in scikit-learn."""
        with _as_value_errors():
            return float(self._fitted.score(X)["bic"])

    def aic(self, X: object) -> float:
        with _as_value_errors():
            return float(self._fitted.score(X)["aic"])

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn asks of estimators; it is there whenever this is asked."""
        known = import_module("sklearn.utils")
        return known.Tags("clusterer", known.TargetTags(required=False), input_tags=known.InputTags(allow_nan=True))

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model_")

    @property
    def _fitted(self) -> FittedModel:
        if not hasattr(self, "model_"):
            known = sys.modules.get("sklearn.exceptions")
            raise getattr(known, "NotFittedError", ValueError)("this Mixture is not fitted yet: call fit first.")
        return self.model_

    def _predicted(self, X: Any) -> Frame:
        model, width = self._fitted, np.shape(X)[1] if np.ndim(X) == 2 else self.n_features_in_
        NoCell.check(X)
        if width != self.n_features_in_ and not hasattr(X, "columns"):
            raise Unfit(f"X has {width} features, but Mixture is expecting {self.n_features_in_} features as input.")
        with _as_value_errors():
            return model.predict(X)


PARAMETERS = ("n_components", "family", "covariance", "latent", "prior", "effort", "seed")


def _fit(path: str, out: str, data: DataOptions, model: FitModelOptions, search: SearchOptions, seed: int) -> None:
    """As `em fit`, and nothing is said."""
    folder, screen = FolderOptions(out=out, responsibilities=False), ScreenOptions(progress="none", quiet=True)
    run = RunOptions(search=search, place=PlaceOptions(seed=seed), folder=folder, screen=screen)
    fit_one(requested("fit", [path], data, run, model))
