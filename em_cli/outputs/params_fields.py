"""What stands in `params.json`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from em_cli.engine.transforms import TRANSFORMS
from em_cli.models.groups import MIXED
from em_cli.outputs.described import SOMETIMES, Described, one_of, says
from em_cli.outputs.found_fields import FoundFields
from em_cli.outputs.selection_fields import SelectionRow
from em_cli.sources.schema import LEVELLED, TYPES

LIST: Any = Field(default_factory=list)  # where a field is absent
OBJECT: Any = Field(default_factory=dict)
Numbers = Annotated[Any, Field(json_schema_extra={"type": "array"})]  # in lists of lists


class ColumnFields(Described):
    """A column that is fitted."""

    name: Annotated[str, says("as the header of the data has it")]
    type: Annotated[str, *one_of(TYPES, list(TYPES)), says("what kind of values it holds")]
    levels: Annotated[list[str], says("of a column of levels, in the order of their codes"), SOMETIMES, LIST]
    transform: Annotated[
        str | None, *one_of(TRANSFORMS, list(TRANSFORMS)), says("on whose scale it is fitted"), SOMETIMES
    ] = None

    @model_validator(mode="after")
    def _levels(self) -> ColumnFields:
        if self.transform is not None and self.type != "numeric":
            raise ValueError(f"a transform is for numeric columns, not for {self.type} ones")
        if len(set(self.levels)) < len(self.levels):
            raise ValueError("a level stands there twice")
        if (len(self.levels) > 0) != (self.type in LEVELLED) or (self.type == "binary" and len(self.levels) != 2):
            raise ValueError(f"{len(self.levels)} levels are too few or too many for type {self.type}")
        return self


def _of_itself(family: str) -> str:
    if family == MIXED:
        raise ValueError("a family that is no mixture of families is wanted")
    return family


class GroupFields(Described):
    """Columns that one family describes. The parameters of the family stand beside."""

    family: Annotated[str, AfterValidator(_of_itself), says("of these columns (em parts families)")]
    columns: Annotated[list[str], Field(min_length=1), says("their names")]
    covariance_type: Annotated[str | None, says("its covariance structure"), SOMETIMES] = None
    family_options: Annotated[
        dict[str, Any], says("options of the family that are not its defaults"), SOMETIMES, OBJECT
    ]


class ModelFields(Described):
    """What makes the model, and is needed to read it. The parameters of the family stand beside."""

    format: Annotated[str, says("em.params"), Field(json_schema_extra={"const": "em.params"})]
    schema_version: Annotated[int, says("1; raised where a field changes its meaning")]
    family: Annotated[str, says("of all columns (em parts families), or product where there are groups of them")]
    covariance_type: Annotated[str | None, says("covariance structure: scikit-learn's name, or mclust's")] = None
    latent: Annotated[str, says("latent structure: independent, noise, markov, …")]
    inference: Annotated[
        str | None,
        *one_of(["variational"], ["variational"]),
        says("variational, where parameters are those of a posterior; new rows are scored by its predictive"),
        SOMETIMES,
    ] = None
    n_components: Annotated[int, Field(ge=1, le=1_000_000), says("K")]
    columns: Annotated[list[ColumnFields], Field(min_length=1), says("that are fitted, in their order")]
    family_options: Annotated[
        dict[str, Any], says("options of the family that are not its defaults"), SOMETIMES, OBJECT
    ]
    groups: Annotated[list[GroupFields], says("of columns, where several families describe them"), SOMETIMES, LIST]
    reading: Annotated[
        dict[str, Any],
        says("how the data were read, where it was not by the defaults; new rows are likewise"),
        SOMETIMES,
        OBJECT,
    ]
    n_missing: Annotated[dict[str, Any] | None, says("missing cells of each column that has any")] = None
    missing_spelled: Annotated[
        dict[str, dict[str, int]] | None,
        says('how these are spelled in the file and how often; "" is a blank cell'),
        SOMETIMES,
    ] = None
    components: Annotated[list[Any], says("each in the units of the data, the largest first"), LIST]


class AtValue(Described):
    value: Annotated[float, says("that many rows bear exactly")]
    probability: Annotated[float, says("of it in this component")]


class MatchedFields(Described):
    """A component of an earlier model (em fit --match)."""

    component: Annotated[int, says("its number there, from 1")]
    name: Annotated[str, says("its name")]
    weight: Annotated[float, says("its weight there")]
    distance: Annotated[float, says("symmetric Kullback-Leibler distance on the rows, in nats")]
    margin: Annotated[float | None, says("nats by which every assignment without it is farther; null if there is none")]


class MatchFields(Described):
    """How the components go with those of an earlier model."""

    previous_sha256: Annotated[str, says("of the file of the earlier model")]
    margin: Annotated[float | None, says("the least of the components")]
    ambiguous: Annotated[list[str], says("components of which another assignment is nearly as good")]
    gone: Annotated[list[str], says("components of the earlier model that none is like")]


class ComponentFields(Described):
    """A component in the units of the data."""

    component: Annotated[int, says("its number, from 1")]
    name: Annotated[str, says("component and its number, or what --names, --labels or --match calls it")]
    weight: Annotated[float, says("its share of the mixture")]
    n_effective: Annotated[float, says("sum of the responsibilities of the rows, times their weights")]
    n_assigned: Annotated[int, says("rows of which it is the likeliest")]
    mean: Annotated[dict[str, float | None], says("of each column of numbers; null where there is none")]
    sd: Annotated[dict[str, float | None], says("standard deviation, likewise")]
    at_value: Annotated[dict[str, AtValue], says("point masses of semicontinuous columns"), SOMETIMES]
    probabilities: Annotated[dict[str, dict[str, float]], says("of the levels of each column of levels"), SOMETIMES]
    matched: Annotated[MatchedFields | None, says("what it was in an earlier model (em fit --match)"), SOMETIMES] = None
    degenerate: Annotated[bool, says("whether it has collapsed")]
    interval: Annotated[
        dict[str, Any], says("of a variational fit: what holds 95 % of the posterior of the above"), SOMETIMES
    ]


class ComponentErrors(Described):
    """Of a component in the units of the data."""

    component: Annotated[int, says("its number, from 1")]
    weight: Annotated[float | None, says("of its weight")]
    mean: Annotated[dict[str, float | None], says("of its mean in each column; null where it is held, or has none")]
    sd: Annotated[dict[str, float | None], says("of its standard deviation, likewise")]


class ErrorsOfNumbers(Described):
    """Standard errors of all numbers, in the shapes of the parameters, whose names they bear. Null: held, or fixed."""

    components: Annotated[list[ComponentErrors], says("of each component in the units of the data")]


class StandardErrorFields(Described):
    """How sure the parameters are."""

    reported: Annotated[str | None, says("observed or robust: which are to be believed; null if there are none")]
    reason: Annotated[str | None, says("why there are none, or no robust ones")]
    robust_ratio: Annotated[float, says("the largest of the robust errors to the others"), SOMETIMES]
    information_left: Annotated[float, says("the least in any direction; 1 were all labels known"), SOMETIMES]
    hardly_told: Annotated[list[str], says("numbers that the data hardly tell apart"), SOMETIMES]
    without: Annotated[dict[str, str], says("why numbers have none, by their names"), SOMETIMES]
    observed: Annotated[ErrorsOfNumbers, says("from the observed information"), SOMETIMES]
    robust: Annotated[ErrorsOfNumbers, says("by the sandwich, which holds if the model does not"), SOMETIMES]


class RowScoreFields(Described):
    """Log-density and responsibilities of the rows, or groups of rows, that were fitted (for em score --drift)."""

    n: Annotated[float, says("of them, by weight")]
    log_density_mean: Annotated[float, says("per row")]
    log_density_sd: Annotated[float, says("standard deviation")]
    share_mean: Annotated[list[float], says("responsibility of each component, and of the noise if there is any")]
    share_sd: Annotated[list[float], says("standard deviation of these")]


class StreamFields(Described):
    """Rows that were looked at once, as they came. What else is told of rows is of the last ones."""

    first_rows: Annotated[int, says("on which the search was, and by which columns are known")]
    last_rows: Annotated[int, says("of which the log-likelihood is, and whatever is told of rows")]
    batch: Annotated[int, says("rows of a step")]
    batches_refused: Annotated[int, says("not learnt from, since a component would have collapsed")]
    predictive_log_likelihood: Annotated[
        float | None, says("of a row, before it was learnt from: the mean since the model was written before")
    ]


class ComponentTest(Described):
    """Bootstrap likelihood-ratio test of K components against K + 1 (em select --test)."""

    k0: Annotated[int, says("K")]
    k1: Annotated[int, says("K + 1")]
    statistic: Annotated[float | None, says("twice the gain in log-likelihood; null if there is no test")]
    replicates: Annotated[int, says("data sets drawn from the fit of K that tell")]
    exceed: Annotated[int, says("of them, those that gain as much")]
    p: Annotated[float | None, says("(1 + exceed) / (1 + replicates), so never 0; null if there is none")]
    stop: Annotated[str, says("why no more were drawn, or why there is no test")]


class Params(FoundFields, ModelFields):
    """A fitted model: params.json, and what em fit --json prints. Beside these fields stand the parameters of the
    family, by the names of the field (covariances, rates, shapes, …) and in the order of the components."""

    structure: Annotated[str | None, says("mclust's name of the covariance structure")]
    n_features_in: Annotated[int, says("D, the number of columns")]
    feature_names_in: Annotated[list[str], says("their names")]
    weights: Annotated[list[float], says("mixing weights of the components")]
    means: Annotated[Numbers, says("of the components, one number for each column (D)"), SOMETIMES]
    covariances: Annotated[Numbers, says("in scikit-learn's shape for the structure, else (K, D, D)"), SOMETIMES]
    design: Annotated[list[str], says("of a regression: what its coefficients are of"), SOMETIMES]
    common_design: Annotated[list[str], says("what of it has one coefficient for all components"), SOMETIMES]
    coefficients: Annotated[Numbers, says("of each component, in the order of the design"), SOMETIMES]
    sigma: Annotated[list[float], says("standard deviation of normal errors"), SOMETIMES]
    shape: Annotated[list[float], says("of a gamma response: one over its squared relative deviation"), SOMETIMES]
    size: Annotated[list[float], says("of a negative binomial response, whose variance is m + m²/size"), SOMETIMES]
    typical_design: Annotated[list[float], says("mean of the regressors, in the order of the design"), SOMETIMES]
    typical_offset: Annotated[float, says("mean of the offset"), SOMETIMES]
    concomitant: Annotated[dict[str, Any], says("logits of the mixing weights against component 1"), SOMETIMES]
    weights_fixed: Annotated[str, says("equal or given, where the weights are not free"), SOMETIMES]
    noise: Annotated[float, says("weight of the noise component"), SOMETIMES]
    noise_density: Annotated[float, says("at which it is uniform"), SOMETIMES]
    noise_box: Annotated[list[list[float]], says("lowest and highest value of each column"), SOMETIMES]
    noise_density_fixed: Annotated[bool, says("whether it was given"), SOMETIMES]
    noise_n_assigned: Annotated[float, says("rows of which the noise is the likeliest, by weight"), SOMETIMES]
    weights_meaning: Annotated[str, says("what the weights of a chain are"), SOMETIMES]
    transitions: Annotated[str | list[Any], says("which of them may be: free, left-right, or rows"), SOMETIMES]
    initial: Annotated[str | list[Any], says("how sequences begin: free, stationary, first, or numbers"), SOMETIMES]
    startprob: Annotated[list[float], says("of each state, where a sequence begins"), SOMETIMES]
    transmat: Annotated[list[list[float]], says("from each state (row) to the next"), SOMETIMES]
    stationary: Annotated[list[float] | None, says("law of the states after many steps"), SOMETIMES]
    mean_duration: Annotated[list[float | None], says("steps for which a state lasts"), SOMETIMES]
    sequence_column: Annotated[str | None, says("which rows are a sequence"), SOMETIMES]
    order_column: Annotated[str | None, says("their time"), SOMETIMES]
    step: Annotated[str | None, says("of time"), SOMETIMES]
    group_column: Annotated[str, says("which rows share their component"), SOMETIMES]
    n_groups: Annotated[int, says("groups of rows that share their component"), SOMETIMES]
    n_sequences: Annotated[int, says("sequences"), SOMETIMES]
    n_steps: Annotated[int, says("steps of all sequences, gaps included"), SOMETIMES]
    n_transitions: Annotated[int, says("from one step to the next"), SOMETIMES]
    components: Annotated[list[ComponentFields], says("each in the units of the data, the largest first"), LIST]
    match: Annotated[MatchFields, says("how they go with those of an earlier model (em fit --match)"), SOMETIMES]
    standard_errors: Annotated[StandardErrorFields, says("of the parameters")]
    row_scores: Annotated[RowScoreFields, says("of the rows that were fitted")]
    component_tests: Annotated[
        list[ComponentTest], says("of the numbers of components of the structure that was chosen"), SOMETIMES
    ]
    log_likelihood: Annotated[float, says("total, natural logarithm; of a variational fit that of the predictive")]
    prior: Annotated[
        str, says("none, weak, conjugate (of a variational fit or a mode), or laplace (prior.means, prior.precisions)")
    ]
    log_prior: Annotated[float | None, says("logarithm of the prior at the parameters; 0 without; null of a posterior")]
    penalised_log_likelihood: Annotated[float | None, says("log-likelihood and log-prior; likewise")]
    elbo: Annotated[float, says("of a variational fit: evidence lower bound, all constants in it"), SOMETIMES]
    divergence: Annotated[float, says("nats from prior to posterior (Kullback–Leibler), which are in it"), SOMETIMES]
    effective_components: Annotated[int, says("of a variational fit: those that bear rows"), SOMETIMES]
    weights_posterior: Annotated[
        dict[str, Any], says("prior and posterior of the mixing weights, intervals of 95 %"), SOMETIMES
    ]
    means_held: Annotated[
        list[list[bool]],
        says("which means (K, D) prior.means holds at that of the data"),
        SOMETIMES,
    ]
    precisions_zero: Annotated[
        list[list[list[bool]]],
        says("which columns (K, D, D) prior.precisions holds independent of each other, given the others"),
        SOMETIMES,
    ]
    prior_parameters: Annotated[dict[str, Any], says("hyperparameters of the components' prior"), SOMETIMES]
    posterior: Annotated[dict[str, Any], says("hyperparameters of each component's posterior"), SOMETIMES]
    intervals: Annotated[dict[str, Any], says("that hold 95 % of the posterior of what components tells"), SOMETIMES]
    lower_bound: Annotated[float, says("log-likelihood, or elbo, per row or per unit of weight")]
    n_parameters: Annotated[int, says("free parameters")]
    objective: Annotated[
        str, says("what was climbed, where it is not the log-likelihood: classification, or elbo"), SOMETIMES
    ]
    classification_log_likelihood: Annotated[float, says("of the rows with their likeliest components"), SOMETIMES]
    inertia: Annotated[float, says("sum of squared distances to the nearest mean, of k-means"), SOMETIMES]
    bic: Annotated[float | None, says("-2 log-likelihood + parameters × log(n_for_bic); null where it says nothing")]
    aic: Annotated[float | None, says("-2 log-likelihood + 2 parameters; null where it says nothing")]
    icl: Annotated[float | None, says("BIC and what the rows are uncertain; null where it says nothing")]
    icl_kind: Annotated[str, says("map: by the likeliest component of each row, as in mclust")]
    bic_mclust: Annotated[float | None, says("-BIC, as mclust prints it")]
    criterion_convention: Annotated[str, says("lower is better")]
    floor: Annotated[str | None, says("below which no variance falls")]
    floor_active: Annotated[bool, says("whether a component is at it")]
    n_samples: Annotated[int, says("rows fitted")]
    n_rows_read: Annotated[int, says("rows of the data")]
    n_rows_dropped: Annotated[int, says("rows not fitted")]
    missing_policy: Annotated[str, says("model, drop or error")]
    weight_column: Annotated[str | None, says("of case weights")]
    weight_type: Annotated[str | None, says("frequency or sampling")]
    sum_weights: Annotated[float, says("of the rows fitted")]
    n_for_bic: Annotated[float, says("rows, or sum of their weights, in the criteria")]
    certificate: Annotated[str, says("what is proved of the fit: that no mixture is likelier"), SOMETIMES]
    stream: Annotated[StreamFields | None, says("where rows were looked at as they came"), SOMETIMES] = None
    start: Annotated[str, says("kind of starts: auto, kmeans, …, or given")]
    criterion: Annotated[str, says("by which the model was chosen (em select --json)"), SOMETIMES]
    selection: Annotated[list[SelectionRow], says("every model tried (em select --json)"), SOMETIMES]
