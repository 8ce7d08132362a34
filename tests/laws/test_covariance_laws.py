"""What every structure of covariances obeys: its M-step is the maximum, and knows nothing that it should not."""

import numpy as np
import pytest
from cases.gaussian import structures
from hypothesis import given
from hypothesis import strategies as st
from support import bound_model, climb, responsibilities, rows, start

from em_cli.engine.columns import unit_columns
from em_cli.engine.stopping import Stopping
from em_cli.errors import DataError
from em_cli.families.covariances import COVARIANCES
from em_cli.families.covariances.structure import WIDE, clamp_full, composed, constrained
from em_cli.families.covariances.volumes import common_shape
from em_cli.families.gaussian.options import Gaussian
from em_cli.sources.in_memory import InMemory

NAMES = tuple(COVARIANCES)
each_structure = pytest.mark.parametrize("name", NAMES)
seeds = st.integers(0, 999)
sizes = st.sampled_from([(1, 3), (2, 2), (3, 4), (5, 3)])  # D, K
PART_OF = {  # every structure is one of these, too
    "EII": ["VII", "EEI"],
    "VII": ["VEI"],
    "EEI": ["VEI", "EVI", "EEE"],
    "VEI": ["VVI", "VEE"],
    "EVI": ["VVI", "EVE"],
    "VVI": ["VVE"],
    "EEE": ["VEE", "EVE", "EEV"],
    "VEE": ["VVE", "VEV"],
    "EVE": ["VVE", "EVV"],
    "VVE": ["VVV"],
    "EEV": ["VEV", "EVV"],
    "VEV": ["VVV"],
    "EVV": ["VVV"],
}


class Scatter:
    """Of K components, and what they bear."""

    def __init__(self, seed: int, d: int, k: int):
        self.rng = np.random.default_rng((seed, d, k))
        roots = self.rng.standard_normal((k, d, d + 2)) * self.rng.uniform(0.3, 3, (k, 1, 1))
        self.matrices = roots @ roots.swapaxes(1, 2) / (d + 2)
        self.weight = self.rng.uniform(5, 50, k)
        self.floor = np.zeros(d)

    def constrained(
        self, name: str, matrices: np.ndarray | None = None, at: np.ndarray | None = None, steps: int = 60
    ) -> np.ndarray:
        """(K, D, D)"""
        structure, matrices = COVARIANCES.load(name)(), self.matrices if matrices is None else matrices
        letters = structure.letters
        scatter = np.diagonal(matrices, axis1=1, axis2=2) if letters.diagonal else matrices
        if letters.isotropic:
            scatter = scatter.mean(axis=1, keepdims=True)
        found = constrained(structure, self.weight, scatter, self.floor, at, steps)
        if letters.diagonal:
            found = found[..., None] * np.eye(len(self.floor))
        return np.broadcast_to(found, self.matrices.shape)

    def height(self, covariances: np.ndarray) -> float:
        traces = np.trace(np.linalg.solve(covariances, self.matrices), axis1=1, axis2=2)
        return -0.5 * float((self.weight * (np.linalg.slogdet(covariances)[1] + traces)).sum())


@each_structure
@given(seed=seeds, size=sizes, nudge=st.sampled_from([1e-3, 0.1, 1.0]))
def test_the_m_step_is_the_maximum(name, seed, size, nudge):
    """Over what the structure can be: whatever other scatter leads to."""
    scatter = Scatter(seed, *size)
    best = scatter.height(scatter.constrained(name))
    for _ in range(5):
        noise = np.eye(size[0]) + nudge * scatter.rng.standard_normal(scatter.matrices.shape) / size[0]
        other = scatter.constrained(name, noise @ scatter.matrices @ noise.swapaxes(1, 2))
        assert best >= scatter.height(other) - 1e-10 * abs(best)


@each_structure
@given(seed=seeds, size=sizes)
def test_the_m_step_is_the_maximum_above_a_floor(name, seed, size):
    scatter = Scatter(seed, *size)
    scatter.floor = scatter.rng.uniform(0.5, 1.0, size[0])
    found = scatter.constrained(name)
    letters = COVARIANCES.load(name).letters
    floor = np.full(size[0], scatter.floor.min()) if letters.rotated else scatter.floor
    if name not in ("VVV", "EEE"):  # these are clamped later
        assert np.linalg.eigvalsh(found / np.outer(floor, floor)).min() >= 1 - 1e-9
        for _ in range(5):
            noise = np.eye(size[0]) + 0.1 * scatter.rng.standard_normal(scatter.matrices.shape) / size[0]
            other = scatter.constrained(name, noise @ scatter.matrices @ noise.swapaxes(1, 2))
            assert scatter.height(found) >= scatter.height(other) - 1e-10 * abs(scatter.height(found))


@each_structure
@given(seed=seeds, size=sizes)
def test_covariances_of_the_structure_stay_what_they_are(name, seed, size):
    scatter = Scatter(seed, *size)
    found = scatter.constrained(name)
    again = scatter.constrained(name, found)
    assert np.allclose(again, found, rtol=1e-9, atol=1e-9 * np.abs(found).max())


@each_structure
@given(seed=seeds, size=sizes)
def test_an_m_step_that_begins_somewhere_does_not_descend(name, seed, size):
    scatter, other = Scatter(seed, *size), Scatter(seed + 1, *size)
    letters = COVARIANCES.load(name).letters
    begin = other.constrained(name)
    at = np.diagonal(begin, axis1=1, axis2=2) if letters.diagonal else begin
    warm = scatter.height(scatter.constrained(name, at=at))
    assert warm >= scatter.height(begin) - 1e-10 * abs(warm)
    if name not in ("EVE", "VVE"):  # which may have several local maxima
        assert warm == pytest.approx(scatter.height(scatter.constrained(name)), rel=1e-11)


@each_structure
@given(seed=seeds, size=sizes, floor=st.sampled_from([0.0, 0.6]))
def test_a_single_step_does_not_descend_and_many_lead_to_the_maximum(name, seed, size, floor):
    scatter, other = Scatter(seed, *size), Scatter(seed + 1, *size)
    scatter.floor = other.floor = np.full(size[0], floor)
    diagonal = COVARIANCES.load(name).letters.diagonal
    found = other.constrained(name)
    heights = [scatter.height(found)]
    for _ in range(30):
        at = np.diagonal(found, axis1=1, axis2=2) if diagonal else found
        found = scatter.constrained(name, at=at, steps=1)
        heights.append(scatter.height(found))
    if name not in ("VVV", "EEE"):  # the floor of these is for later
        assert (np.diff(heights) >= -1e-10 * abs(heights[-1])).all()
    if name not in ("EVE", "VVE") and not floor:  # which may have several local maxima, or be held up short of it
        assert heights[-1] == pytest.approx(scatter.height(scatter.constrained(name)), rel=1e-7)


@pytest.mark.parametrize("name", PART_OF)
@given(seed=seeds, size=sizes)
def test_a_wider_structure_is_no_worse(name, seed, size):
    scatter = Scatter(seed, *size)
    inner = scatter.constrained(name)
    own = scatter.height(inner)
    for wider in PART_OF[name]:
        assert scatter.height(scatter.constrained(wider)) >= own - 1e-9 * abs(own)
        assert np.allclose(scatter.constrained(wider, inner), inner, rtol=1e-7, atol=1e-7 * np.abs(inner).max())


@each_structure
@given(seed=seeds, size=sizes)
def test_units_and_turns_change_nothing_else(name, seed, size):
    d, scatter, letters = size[0], Scatter(seed, *size), COVARIANCES.load(name).letters
    maps = [2.5 * np.eye(d)]
    if not letters.common_scale:
        maps.append(np.diag(scatter.rng.uniform(0.1, 10, d)))
    if not letters.diagonal or letters.isotropic:
        maps.append(np.linalg.qr(scatter.rng.standard_normal((d, d)))[0])
    found = scatter.constrained(name)
    for linear in maps:
        mapped = scatter.constrained(name, linear @ scatter.matrices @ linear.T)
        expected = linear @ found @ linear.T
        assert np.allclose(mapped, expected, rtol=1e-8, atol=1e-8 * np.abs(expected).max())


@each_structure
def test_the_m_step_of_a_candidate_does_not_depend_on_its_company(name):
    scatters = [Scatter(seed, 3, 4) for seed in range(6)]
    structure = COVARIANCES.load(name)()
    matrices, weight = np.stack([s.matrices for s in scatters]), np.stack([s.weight for s in scatters])
    variances = np.diagonal(matrices, axis1=2, axis2=3)
    scatter = matrices if not structure.letters.diagonal else variances[..., :1].copy() * 1.0
    if structure.letters.diagonal and not structure.letters.isotropic:
        scatter = variances.copy()
    for floor in (np.zeros(3), np.full(3, 0.6)):
        together = constrained(structure, weight, scatter, floor)
        for r in range(len(scatters)):
            alone = constrained(structure, weight[[r]], scatter[[r]], floor)
            assert alone[0].tobytes() == together[r].tobytes()


@pytest.mark.parametrize("alias", COVARIANCES.aliases)
def test_an_alias_is_its_structure_to_the_bit(alias):
    x, labels = rows(("real",) * 3, 61, 200, 2.0)
    ends = []
    for name in (alias, COVARIANCES.aliases[alias]):
        model = bound_model(Gaussian(name), InMemory(x), 3)
        ends.append(climb(model, InMemory(x), start(model, x, responsibilities(61, labels, 3, 0.5)), Stopping(0, 20)))
    assert ends[0].trace == ends[1].trace
    assert set(structures()) == set(NAMES) - set(COVARIANCES.aliases.values()) | set(COVARIANCES.aliases)


@each_structure
def test_in_one_dimension_there_are_two(name):
    """mclust calls them E and V."""
    x, labels = rows(("real",), 62, 150, 3.0)
    one, _ = COVARIANCES.load(name).letters.mclust
    heights = []
    for other in (name, {"E": "tied", "V": "full"}[one]):
        model = bound_model(Gaussian(other), InMemory(x), 3)
        result = climb(model, InMemory(x), start(model, x, responsibilities(62, labels, 3, 0.5)), Stopping(0, 20))
        heights.append(result.log_likelihood)
        assert model.n_parameters == 5 + {"E": 1, "V": 3}[one]
    assert heights[0] == pytest.approx(heights[1], rel=1e-9)


@each_structure
def test_a_document_of_another_structure_is_refused(name):
    structure = COVARIANCES.load(name)
    family = Gaussian(name).bind(unit_columns(2))
    matrices = np.array([[[2.0, 0.5], [0.5, 1.0]], [[3.0, -0.2], [-0.2, 0.5]]])
    document = {"means": np.zeros((2, 2)).tolist(), "covariances": matrices.tolist()}
    if structure.letters.diagonal or structure.letters.shared:
        with pytest.raises(DataError, match="structure"):
            family.from_document(document, 2)
    else:
        assert (family.from_document(document, 2).covariances == matrices).all()


def test_a_component_without_spread_beside_a_wide_one_leaves_volumes_to_others():
    """Rounding makes a Newton step singular there; what it is told of in the same stack has the bits it has alone."""
    weight = np.array([[4.67551878e-07, 1.0], [0.4, 0.6]])
    wide, none = [1.36743397e8, 4.31654390e9, 5.05642971e10, 4.42833135e11], [0.0, 0.0, 2.03979214e-31, 7.88759100e-24]
    variances = np.array([[wide, none], [[3.0, 5.0, 2.0, 9.0], [30.0, 20.0, 40.0, 7.0]]])
    sizes = np.array([[3.20499329e13, 3.38823526e04], [1.0, 2.0]])
    found = common_shape(1.0, 60, weight, variances, sizes)
    for own, *of_each in zip(found, weight, variances, sizes, strict=True):
        np.testing.assert_array_equal(own, common_shape(1.0, 60, *of_each))
    assert (found >= 1).all() and np.isfinite(found).all()


@pytest.mark.parametrize("d", [3, WIDE - 1, WIDE, WIDE + 6])
def test_wide_matrices_are_clamped_as_narrow_ones_are(d: int):
    """Eigenvalues relative to the floor are raised to one, of those matrices only that have one below."""
    rng = np.random.default_rng(d)
    rotations = np.linalg.qr(rng.normal(size=(2, 3, d, d)))[0]
    values = rng.uniform(1.5, 9, (2, 3, d))
    values[0, 1, 0], values[1, 2, :2] = 0.2, 0.7
    floor = rng.uniform(0.5, 2, d)
    unit = np.outer(floor, floor)
    found = clamp_full(composed(rotations, values) * unit, floor)
    np.testing.assert_allclose(found, composed(rotations, np.maximum(values, 1)) * unit, rtol=1e-9, atol=1e-12)
    sound = np.ones((2, 3), bool)
    sound[0, 1] = sound[1, 2] = False
    assert (found[sound] == (composed(rotations, values) * unit)[sound]).all(), "the others keep their bits"
