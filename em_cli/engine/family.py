"""The component distribution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol

import numpy as np

from em_cli.engine.arrays import Array, Flags, Integers
from em_cli.engine.columns import Columns
from em_cli.engine.declared_numbers import Parameter, Quantity
from em_cli.engine.exponential_family import Exponential
from em_cli.engine.generic import P, P_told


@dataclass(frozen=True, slots=True)
class Degeneracy:
    """Why a component is degenerate: its likelihood is high for no good reason."""

    reason: str
    at_resolution: bool  # it is held up only by the resolution of the data
    columns: tuple[int, ...] = ()  # along which it is; the places among those of the family, the first the worst

    def among(self, columns: Integers) -> Degeneracy:
        """The same of a family whose columns have these places among others."""
        return replace(self, columns=tuple(int(columns[place]) for place in self.columns))


class Family(Protocol):
    """A component distribution as the user names it: options, and what it can say before it sees data."""

    describes: ClassVar[str]  # the type of the columns that it describes: numeric, count, …
    title: ClassVar[str]  # of a mixture of it
    comparable: ClassVar[bool]  # whether its likelihood may be compared with another's that describes the same columns
    narrowest: ClassVar[float]  # standard deviation, relative to its column's, below which a component is degenerate;
    # zero, if the family loses no digits before the resolution of the data is reached
    parameters: ClassVar[tuple[Parameter, ...]]  # what documents hold for each component and column, or level of it

    @property
    def support(self) -> Support | None:
        """Which cells it can describe; None if any number will do."""

    def bind(self, columns: Columns) -> BoundFamily:
        """The family made ready for data; `UsageError` if the options do not go with the columns."""


class Support(Protocol):
    """The cells that a family can describe."""

    def allows(self, x: Array) -> Flags:
        """Which cells (D, n) may be; one that is missing may be anything."""

    @property
    def requirement(self) -> str:
        """What a cell must be, in words that follow "must be"."""

    def refuses(self, x: Array, /) -> str | None:
        """What is wrong with all cells, in a sentence, told by the lowest and highest (D, 2); None if nothing is."""

    def beside(self, place: int, /) -> tuple[int, ...] | None:
        """The columns that must be known for a cell of the column at a place to have a law; None if it has none.

        Places are those among the columns of the family.
        """

    def drawn(self, lowest: float, highest: float, margin: float, /) -> tuple[float, float]:
        """From where to where a column is drawn whose values are these: wider by the margin, within what may be."""


class BoundFamily(Protocol[P]):
    """A component distribution of some columns, for all K components of all R stacked candidates at once.

    It knows location, scale and resolution of the data, computes in coordinates of its
    own, and never lets them out: documents hold parameters in the user's units.

    Cells may be missing (NaN) in the columns that `Columns.gaps` names: they are integrated out
    of the density, and no more is said of them in `base_measure`.

    What not every family can do it says in attributes, which are None where it cannot.
    """

    @property
    def exponential(self) -> Exponential[P] | None: ...
    @property
    def reweighting(self) -> Reweighting[P] | None: ...
    @property
    def penalty(self) -> Penalised[P] | None: ...
    @property
    def completing(self) -> Completing[P] | None: ...
    @property
    def elliptic(self) -> Elliptic[P] | None: ...
    @property
    def approximate(self) -> Approximate[P] | None: ...
    @property
    def quantities(self) -> Mapping[str, Quantity]:
        """What the numbers of its documents are, by the names of the fields, such as `rates` or `groups[2].rates`."""

    def n_features(self) -> int:
        """F, the number of features of a row."""

    def features(self, x: Array, out: Array) -> None:
        """Write the features (F, n) of the rows x (D, n): all that the two steps need of them."""

    def base_measure(self, x: Array) -> Array:
        """The part (n,) of the log-density that no parameter changes, Jacobian of the coordinates included."""

    def embedding(self, x: Array) -> Array:
        """The rows (E, n) in coordinates where Euclidean distance means something, for starts."""

    def log_density(self, features: Array, parameters: P, offset: Array, out: Array) -> None:
        """Write (R, K, n): log-density less base measure, plus the offset (R, K)."""

    def statistics(self, features: Array, responsibilities: Array, parameters: P) -> Array:
        """Sufficient statistics (R, K, S) of responsibilities (R, K, n); the first is the component's weight.

        They add over rows and scale with weights. Their frame of reference may be `parameters`.
        """

    def maximize(self, statistics: Array, parameters: P) -> P:
        """The M-step: the maximum-likelihood parameters, stacked as the statistics are. It never raises.

        Where they have no closed form, they are sought without `parameters`; from these, a step towards them will do.
        """

    def n_parameters(self, n_components: int) -> int:
        """Free parameters of the components, mixing weights not counted."""

    def degenerate(self, parameters: P, support: Array) -> list[Degeneracy | None]:
        """Which of K components (no stack; support (K,) in distinct rows) are degenerate, and why."""

    def moments(self, parameters: P) -> tuple[Array, Array]:
        """Mean and standard deviation (K, D) of each component, in the user's units."""

    def to_document(self, parameters: P) -> dict[str, object]:
        """The parameters (no stack) in the user's units, under the names of the field."""

    def from_document(self, document: Mapping[str, object], n_components: int) -> P:
        """The inverse of `to_document`, for this family's coordinates; `DataError` names a bad field."""

    def sample(self, parameters: P, labels: Integers, rng: np.random.Generator) -> Array:
        """Draw one row (D, n) per label, in the user's units."""

    @property
    def coupled(self) -> bool:
        """Whether the M-step of one component depends on the others."""

    def expected_log_density(self, statistics: Array, parameters: P) -> Array:
        """Σ_n r_nk log f_k(x_n) less base measure (…, K), from statistics whose frame is not `parameters`."""

    def chart(self, parameters: P, weight: Array) -> Chart[P] | None:
        """Local coordinates about parameters, stacked or not, whose components bear the weight (…, K), if there are."""


class Reweighting(Protocol[P]):
    """A family whose components weigh rows by their parameters: statistics without a frame know nothing of that."""

    def reference(self, parameters: P) -> P:
        """These parameters as a frame in which the statistics of different components are of one kind, and add."""


class Penalised(Protocol[P_told]):
    """A family with a penalty that follows its components: a weak prior which has a spread and no place."""

    def penalty_statistics(self, parameters: P_told, plain: bool) -> Array:
        """(R, K, S) those of one pseudo-observation of each component, spread as the data are.

        It stands where these parameters say; the frame is theirs, or none if they are to be `plain`.
        """


class Approximate(Protocol[P_told]):
    """A family under a prior. Its parameters are approximate posteriors, under which it expects the log-density of
    rows, or points: the modes of these."""

    @property
    def of_points(self) -> bool: ...

    def divergence(self, parameters: P_told) -> Array:
        """(…, K) nats from the prior to the posterior (Kullback–Leibler); of what is shared, each bears its part.

        Of a point it is the negative log-density of the prior there.
        """


class Completing(Protocol[P_told]):
    """A family that can fill missing cells."""

    def complete(self, x: Array, parameters: P_told, responsibilities: Array) -> Array:
        """The rows (D, n) with each missing cell at its conditional mean under the mixture, or its likeliest value.

        The parameters carry no stack; the responsibilities are (K, n).
        """

    def draw(self, x: Array, parameters: P_told, labels: Integers, rng: np.random.Generator) -> Array:
        """The rows (D, n) with missing cells drawn, given the other cells and the component (n,) of each row."""


@dataclass(frozen=True, slots=True, eq=False)
class Ellipsoids:
    """Contours of K components in some of the columns, in the user's units."""

    columns: tuple[int, ...]  # their places among the columns of the family
    locations: Array  # (K, D)
    scales: Array  # (K, D, D) covariance matrices, or scale matrices of t components; (K, D) their diagonals alone
    dof: Array | None  # (K,) of t components
    exact: bool = True  # whether they are contours of the density of rows; else of what is told of the components

    @property
    def variances(self) -> Array:
        """(K, D) the diagonals."""
        return self.scales if self.scales.ndim == 2 else np.diagonal(self.scales, axis1=-2, axis2=-1)

    def among(self, places: Integers) -> Array:
        """(K, d, d) the matrices of some of the columns."""
        if self.scales.ndim == 2:
            alone: Array = self.scales[:, places, None] * np.eye(len(places))
            return alone
        return self.scales[:, places[:, None], places]


class Elliptic(Protocol[P_told]):
    """A family whose components have ellipsoids for contours, in some of its columns at least."""

    def ellipsoids(self, parameters: P_told) -> list[Ellipsoids]:
        """Of parameters without a stack; those of dependent columns together."""


class Chart(Protocol[P]):
    """Local coordinates u (…, P): zero at its base point, where the complete-data information is the identity.

    About a stack of R base points, each of R candidates has its own; about a single one, they serve any number. Either
    way a candidate has the bits that it has alone.
    """

    def coordinates(self, parameters: P) -> Array: ...
    def parameters(self, u: Array) -> P: ...
    def gradient(self, statistics: Array, parameters: P) -> Array:
        """(…, P) of the log-likelihood, from the statistics of an E-step at these parameters."""
