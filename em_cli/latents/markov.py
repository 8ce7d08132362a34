"""Labels that follow a Markov chain: the hidden Markov model (Baum, Petrie, Soules & Weiss 1970)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.assignment import SOFT, Assignment
from em_cli.engine.columns import Columns
from em_cli.engine.declared_numbers import Quantity
from em_cli.engine.decoder import Decoded
from em_cli.engine.documents import field, numbers
from em_cli.engine.family import BoundFamily
from em_cli.engine.latent import Described, Posterior
from em_cli.engine.rows import Block, checked_groups
from em_cli.errors import DataError, UsageError
from em_cli.latents.bayes import honour_labels
from em_cli.latents.chain import TINY, ChainParameters, Shape, left_right, normalised, renumbered, unrestricted
from em_cli.latents.chain_chart import ChainChart
from em_cli.latents.forward_backward import filter_forward, smooth
from em_cli.latents.stationary import RARE, classes_of, law_of_connected, stationary_law, transitions_at_maximum
from em_cli.latents.viterbi import viterbi
from em_cli.parts import Option

STICKY = 0.5  # how much of a chain of which nothing is known stays where it is, beyond what chance does
SUMS = 1e-6  # by which probabilities may be off one

Matrix = tuple[tuple[float | None, ...], ...]
ChainStatistics = tuple[Array, Array]  # (R, K) of first states, (R, K, K) of steps


def transitions_refused(transitions: str | Sequence[Sequence[float | None]]) -> str | None:
    """What is wrong with a matrix of transitions."""
    if isinstance(transitions, str):
        return None
    for number, row in enumerate(transitions, 1):
        fixed = [p for p in row if p is not None]
        if len(row) != len(transitions):
            return "must have as many numbers or nulls in a row as it has rows"
        if not all(0 <= p <= 1 for p in fixed):
            return "must hold probabilities, from 0 to 1, and nulls for those that are free"
        total = sum(fixed)
        if len(fixed) == len(row) and abs(total - 1) > SUMS:
            return f"must have rows that sum to one; the sum of row {number} is {total:g}"
        if len(fixed) < len(row) and total > 1 - SUMS:
            return f"leaves nothing for what is free in row {number}"
    return None


def initial_refused(initial: str | Sequence[float] | None) -> str | None:
    """What is wrong with a given law of the first state."""
    if initial is None or isinstance(initial, str) or (min(initial) >= 0 and abs(sum(initial) - 1) <= SUMS):
        return None
    return "must be probabilities that sum to one"


def _transitions_of(document: Mapping[str, object]) -> Literal["free", "left-right"] | Matrix:
    match document.get("transitions", "free"):
        case "free" | "left-right" as word:
            return word
        case list(given) if all(isinstance(row, list) for row in given):
            if fault := transitions_refused(given):
                raise DataError(f"the field 'transitions' {fault}.")
            return tuple(map(tuple, given))
        case str(other):
            raise DataError(f"the field 'transitions' must be free, left-right or a matrix, not {other!r}.")
    raise DataError("the field 'transitions' must be free, left-right, or rows of numbers and nulls.")


def _initial_of(document: Mapping[str, object]) -> Literal["free", "stationary", "first"] | tuple[float, ...]:
    match document.get("initial", "free"):
        case "free" | "stationary" | "first" as word:
            return word
        case str(other):
            raise DataError(f"the field 'initial' must be free, stationary, first or numbers, not {other!r}.")
    law = numbers(field(document, "initial"), "initial")
    if law.ndim != 1 or (fault := initial_refused(law.tolist())):
        raise DataError(f"the field 'initial' {fault or 'must be a list of numbers'}.")
    return tuple(law.tolist())


@dataclass(frozen=True, slots=True)
class Markov:
    """The component of a row depends on that of the row before it in its sequence: a hidden Markov model.

    Rows of one sequence stand in the order of time; `--sequence`, `--order` and `--step` say how they are found.
    """

    needs_groups: ClassVar[bool] = True
    sums_are_plain: ClassVar[bool] = False
    title: ClassVar[str | None] = "hidden Markov model"
    kindred: ClassVar[None] = None
    extra: ClassVar[tuple[str, ...]] = ()
    beyond: ClassVar[None] = None
    is_bayes_alone: ClassVar[bool] = False
    ordered: ClassVar[bool] = True

    transitions: Annotated[
        Literal["free", "left-right"] | Matrix,
        Option(
            "free; left-right: to itself or the next; or rows of numbers that are fixed and nulls that are free",
            check=transitions_refused,
        ),
    ] = "free"
    initial: Annotated[
        Literal["free", "stationary", "first"] | tuple[float, ...] | None,
        Option(
            "law of the first state: free, stationary, first (always that one), or numbers; null: first in left-right",
            check=initial_refused,
        ),
    ] = None
    concentration: tuple[float, float] = (1.0, 1.0)  # α of a Dirichlet prior of each row: off the diagonal, and on it
    quantities: ClassVar[Mapping[str, Quantity]] = dict.fromkeys(
        ("weights", "startprob", "transmat", "stationary"), Quantity.PROBABILITY
    )
    includes: ClassVar[tuple[str, ...]] = ("independent",)
    declines: ClassVar[Mapping[str, str]] = {
        "weights": "mixing weights cannot be fixed where labels follow a Markov chain: its transitions give them.",
        "density": "a noise component does not go with labels that follow a Markov chain.",
    }

    def refuses(self, columns: Sequence[Described], n_components: Sequence[int]) -> str | None:
        for words, given in (("latent.transitions", self.transitions), ("latent.initial", self.initial)):
            if isinstance(given, tuple) and any(len(given) != k for k in n_components):
                return f"{words} is given for {len(given)} states: that many is what -k must be."
        if self._law == "stationary":
            if self.transitions == "left-right":
                return "a chain from left to right ends in its last state: it cannot begin in its stationary law."
            if isinstance(self.transitions, tuple):
                shape = self._shape(len(self.transitions))
                if len(classes_of(shape.free | (shape.fixed > 0))) != 1 or not _connected(shape):
                    return "latent.initial: stationary needs transitions by which every state leads to every other."
        return None

    def bind(self, family: BoundFamily, columns: Columns) -> Markov:
        return self

    @classmethod
    def of_document(cls, document: Mapping[str, object]) -> Markov:
        return cls(_transitions_of(document), _initial_of(document))

    @property
    def _law(self) -> str | tuple[float, ...]:
        """Of the first state."""
        if self.initial is None:
            return "first" if self.transitions == "left-right" else "free"
        return self.initial

    def _shape(self, k: int) -> Shape:
        """Numbers are for as many states; chains of more or fewer, which a search passes by, are free."""
        if self.transitions == "left-right":
            return left_right(k)
        if self.transitions == "free" or len(self.transitions) != k:
            return unrestricted(k)
        free = np.array([[p is None for p in row] for row in self.transitions])
        return Shape(np.array([[p or 0.0 for p in row] for row in self.transitions]), free)

    def _fixed_initial(self, k: int) -> Array | None:
        """(K,) None where it is not fixed."""
        law = self._law
        if law == "first":
            at_first: Array = np.eye(k)[0]
            return at_first
        if not isinstance(law, tuple) or len(law) != k:
            return None
        fixed: Array = np.array(law, np.float64) / sum(law)
        return fixed

    def divergence(self, parameters: ChainParameters) -> Array | float:
        """The negative log-density of the prior, if there is one."""
        if self.concentration == (1.0, 1.0):
            return 0.0
        k = parameters.transitions.shape[-1]
        return -self._shape(k).log_prior(parameters.transitions, self._pseudo(k) + 1)

    def _pseudo(self, k: int) -> Array:
        """(K, K) steps that the prior adds to those that are seen."""
        off, on = self.concentration
        return np.where(np.eye(k, dtype=np.bool_), on, off) - 1

    def log_prior(self, parameters: ChainParameters) -> Array:
        """Nothing is added: what precedes a row is another thing in each."""
        return np.zeros_like(parameters.initial)

    @property
    def exchangeable(self) -> bool:
        """Whether nothing tells the states apart before they are fitted."""
        return self.transitions == "free" and isinstance(self._law, str) and self._law != "first"

    def posterior(
        self,
        log_density: Array,
        parameters: ChainParameters,
        block: Block,
        weights: Array | None = None,
        assignment: Assignment = SOFT,
    ) -> Posterior:
        """Forward and backward through each sequence; the statistics are first states and steps.

        Weights of rows weigh the responsibilities; first states and steps have that of the first row of their group.
        """
        if assignment != SOFT:
            raise UsageError("labels that follow a Markov chain are assigned by their responsibilities only.")
        groups = checked_groups(block)
        honour_labels(log_density, block.labels)
        own = None if weights is None else weights[..., groups[:-1]]
        found = smooth(log_density, parameters.initial, parameters.transitions, groups, own)
        starts = log_density[..., groups[:-1]]
        first = np.add.reduce(starts if own is None else starts * own[..., None, :], axis=2)
        if weights is not None:
            np.multiply(log_density, weights[..., None, :], out=log_density)
        return Posterior(found.log_likelihood, (first, found.steps))

    def total(self, log_likelihood: Array, block: Block, weights: Array | None) -> Array:
        if weights is not None:
            log_likelihood = log_likelihood * weights[..., checked_groups(block)[:-1]]
        total: Array = np.add.reduce(log_likelihood, axis=1)
        return total

    def seen(self, responsibilities: Array, block: Block) -> ChainStatistics:
        """Statistics as if labels of neighbouring rows were drawn apart, by responsibilities (R, K, n)."""
        groups = checked_groups(block)
        starts = groups[:-1]
        onward = responsibilities[..., 1:].copy()
        onward[..., starts[1:] - 1] = 0.0
        return responsibilities[..., starts].sum(axis=2), responsibilities[..., :-1] @ onward.swapaxes(1, 2)

    def maximize(
        self, weight: Array, statistics: ChainStatistics | None, parameters: ChainParameters | None
    ) -> ChainParameters:
        shares = normalised(weight)
        k = weight.shape[-1]
        shape, fixed = self._shape(k), self._fixed_initial(k)
        by_chance = STICKY * np.eye(k) + (1 - STICKY) * shares[:, None, :]
        otherwise = shape.law(by_chance, by_chance, RARE) if parameters is None else parameters.transitions
        first, steps = (shares, by_chance) if statistics is None else statistics
        if self._law == "stationary":
            transitions = otherwise
            if statistics is not None:
                transitions = transitions_at_maximum(steps, first, shape, otherwise)
            return ChainParameters(shares, law_of_connected(transitions), transitions)
        transitions = shape.law(steps if statistics is None else steps + self._pseudo(k), otherwise)
        initial = normalised(first) if fixed is None else np.broadcast_to(fixed, weight.shape).copy()
        return ChainParameters(shares, initial, transitions)

    def n_parameters(self, n_components: int) -> int:
        free = self._law == "free" or (isinstance(self._law, tuple) and len(self._law) != n_components)
        return self._shape(n_components).n_free + (n_components - 1 if free else 0)

    def mixed(self, statistics: ChainStatistics, shares: Array) -> ChainStatistics:
        first, steps = statistics
        return shares @ first, shares @ steps @ shares.T

    def arranged(self, partition: Integers, n_components: int, block: Block, seed: tuple[int, ...]) -> Integers:
        """Where states have places of their own, segments of each sequence in their order, or parts by lot."""
        if self.exchangeable:
            return partition
        rng = np.random.default_rng(seed)
        if self.transitions != "left-right":
            return rng.permutation(n_components)[partition].astype(np.intp)
        groups = checked_groups(block)
        lengths = np.diff(groups)
        place = (np.arange(block.n_rows) - np.repeat(groups[:-1], lengths) + 0.5) / np.repeat(lengths, lengths)
        cuts = np.sort(rng.random(n_components - 1)) if seed[-1] else np.arange(1, n_components) / n_components
        segment: Integers = np.searchsorted(cuts, place).astype(np.intp)
        return segment

    def renumbered(self, parameters: ChainParameters, order: Integers) -> ChainParameters:
        return renumbered(parameters, order)

    @property
    def decoder(self) -> Markov:
        return self

    def decode(self, log_density: Array, parameters: ChainParameters, block: Block) -> Decoded:
        groups = checked_groups(block)
        honour_labels(log_density[None], block.labels)
        laws = parameters.initial, parameters.transitions
        filtered, given = filter_forward(log_density, *laws, groups)
        path, together = viterbi(log_density, *laws, groups)
        smooth(log_density[None], laws[0][None], laws[1][None], groups)
        return Decoded(log_density, filtered, given, path, together)

    def ahead(self, parameters: ChainParameters, filtered: Array, steps: int) -> Array:
        found, now = np.empty((*filtered.shape, steps)), filtered
        for step in range(steps):
            now = np.tensordot(parameters.transitions.T, now, axes=1)
            found[..., step] = now
        return found

    def law_of_first(self, parameters: ChainParameters) -> Array:
        return parameters.initial

    def law_of_steps(self, parameters: ChainParameters) -> Array:
        return parameters.transitions

    def expected_steps(self, statistics: ChainStatistics) -> Array:
        return statistics[1]

    def settled(self, parameters: ChainParameters, weight: Array) -> ChainParameters:
        return replace(parameters, weights=normalised(weight))

    def chart(self, parameters: ChainParameters, weight: Array) -> ChainChart:
        k = weight.shape[-1]
        begins = self._law if self._law == "stationary" else "free" if self._fixed_initial(k) is None else "fixed"
        return ChainChart(parameters, weight, self._shape(k), begins, self._pseudo(k))

    def to_document(self, parameters: ChainParameters) -> dict[str, object]:
        law, given = stationary_law(parameters.transitions), self.transitions
        leaving = np.where(np.eye(len(parameters.weights)), 0.0, parameters.transitions).sum(axis=1)
        return {
            "weights": parameters.weights.tolist(),
            "weights_meaning": "expected share of the rows",
            "transitions": given if isinstance(given, str) else [list(row) for row in given],
            "initial": self._law if isinstance(self._law, str) else list(self._law),
            "startprob": parameters.initial.tolist(),
            "transmat": parameters.transitions.tolist(),
            "stationary": None if law is None else law.tolist(),
            "mean_duration": [1 / p if p > TINY else None for p in leaving.tolist()],
        }

    def from_document(self, document: Mapping[str, object], n_components: int) -> ChainParameters:
        """Laws as they stand in a document; they may be off one by rounding, and no more."""
        k = n_components
        laws = {name: numbers(field(document, name), name) for name in ("startprob", "transmat")}
        for name, shape in (("startprob", (k,)), ("transmat", (k, k))):
            if laws[name].shape != shape:
                raise DataError(f"the field {name!r} must hold {' × '.join(map(str, shape))} numbers.")
            if not ((laws[name] >= 0).all() and (abs(laws[name].sum(axis=-1) - 1) < SUMS).all()):
                raise DataError(f"the field {name!r} must hold probabilities that sum to one.")
        weights = numbers(document["weights"], "weights") if "weights" in document else np.full(k, 1 / k)
        if weights.shape != (k,) or not (weights >= 0).all():
            raise DataError(f"the field 'weights' must hold {k} numbers.")
        return ChainParameters(weights, laws["startprob"], laws["transmat"])

    def sample(self, parameters: ChainParameters, n_rows: int, rng: np.random.Generator) -> Integers:
        """The states of one sequence."""
        states = np.empty(n_rows, np.intp)
        drawn, up_to = rng.random(n_rows), np.cumsum(parameters.transitions, axis=1)
        law = np.cumsum(parameters.initial)
        for t, u in enumerate(drawn.tolist()):
            states[t] = min(int(np.searchsorted(law, u * law[-1], "right")), len(law) - 1)
            law = up_to[states[t]]
        return states


def _connected(shape: Shape) -> bool:
    (states,) = classes_of(shape.free | (shape.fixed > 0))
    return len(states) == len(shape.free)
