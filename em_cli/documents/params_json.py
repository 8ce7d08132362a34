"""What stands in `params.json`."""

from __future__ import annotations

from typing import Annotated, Any, NotRequired, TypedDict

from em_cli.documents.found import FoundFields, SearchFields, WarningFields
from em_cli.documents.selection_csv import SelectionRow
from em_cli.engine.transforms import TRANSFORMS
from em_cli.sources.schema import TYPES

Numbers = Annotated[Any, {"json_schema_extra": {"type": "array"}}]  # in lists of lists


class ColumnFields(TypedDict):
    """A column that is fitted."""

    name: Annotated[str, "as the header of the data has it"]
    type: Annotated[str, "what kind of values it holds", {"one_of": TYPES}]
    levels: NotRequired[Annotated[list[str], "of a column of levels, in the order of their codes"]]
    transform: NotRequired[Annotated[str | None, "on whose scale it is fitted", {"one_of": TRANSFORMS}]]


class GroupFields(TypedDict):
    """Columns that one family describes. The parameters of the family stand beside."""

    family: Annotated[str, "of these columns (em parts families)"]
    columns: Annotated[list[str], "their names", {"min_length": 1}]
    covariance_type: NotRequired[Annotated[str | None, "its covariance structure"]]
    family_options: NotRequired[Annotated[dict[str, object], "options of the family that are not its defaults"]]


class IdentityFields(TypedDict):
    """What makes the model, and is needed to read it. The parameters of the family stand beside."""

    format: Annotated[str, "em.params", {"json_schema_extra": {"const": "em.params"}}]
    schema_version: Annotated[int, "1; raised where a field changes its meaning"]
    family: Annotated[str, "of all columns (em parts families), or product where there are groups of them"]
    covariance_type: Annotated[str | None, "covariance structure: scikit-learn's name, or mclust's", {"default": None}]
    latent: Annotated[str, "latent structure: independent, noise, markov, …"]
    inference: NotRequired[
        Annotated[
            str | None,
            "variational, where parameters are those of a posterior; new rows are scored by its predictive",
            {"one_of": ("variational",)},
        ]
    ]
    n_components: Annotated[int, "K", {"ge": 1, "le": 1_000_000}]
    columns: Annotated[list[ColumnFields], "that are fitted, in their order", {"min_length": 1}]
    family_options: NotRequired[Annotated[dict[str, object], "options of the family that are not its defaults"]]
    groups: NotRequired[Annotated[list[GroupFields], "of columns, where several families describe them"]]
    reading: NotRequired[
        Annotated[dict[str, object], "how the data were read, where it was not by the defaults; new rows are likewise"]
    ]
    n_missing: Annotated[dict[str, Any] | None, "missing cells of each column that has any", {"default": None}]
    missing_spelled: NotRequired[
        Annotated[
            dict[str, dict[str, int]] | None, 'how these are spelled in the file and how often; "" is a blank cell'
        ]
    ]


class ModelFields(IdentityFields):
    """What is needed to read a model."""

    components: Annotated[list[object], "each in the units of the data, the largest first", {"default": None}]


class AtValue(TypedDict):
    value: Annotated[float, "that many rows bear exactly"]
    probability: Annotated[float, "of it in this component"]


class MatchedFields(TypedDict):
    """A component of an earlier model (em fit --match)."""

    component: Annotated[int, "its number there, from 1"]
    name: Annotated[str, "its name"]
    weight: Annotated[float, "its weight there"]
    distance: Annotated[float, "symmetric Kullback-Leibler distance on the rows, in nats"]
    margin: Annotated[float | None, "nats by which every assignment without it is farther; null if there is none"]


class MatchFields(TypedDict):
    """How the components go with those of an earlier model."""

    previous_sha256: Annotated[str, "of the file of the earlier model"]
    margin: Annotated[float | None, "the least of the components"]
    ambiguous: Annotated[list[str], "components of which another assignment is nearly as good"]
    gone: Annotated[list[str], "components of the earlier model that none is like"]


class ComponentFields(TypedDict):
    """A component in the units of the data."""

    component: Annotated[int, "its number, from 1"]
    name: Annotated[str, "component and its number, or what --names, --labels or --match calls it"]
    weight: Annotated[float, "its share of the mixture"]
    n_effective: Annotated[float, "sum of the responsibilities of the rows, times their weights"]
    n_assigned: Annotated[int, "rows of which it is the likeliest"]
    mean: Annotated[dict[str, float | None], "of each column of numbers; null where there is none"]
    sd: Annotated[dict[str, float | None], "standard deviation, likewise"]
    at_value: NotRequired[Annotated[dict[str, AtValue], "point masses of semicontinuous columns"]]
    probabilities: NotRequired[Annotated[dict[str, dict[str, float]], "of the levels of each column of levels"]]
    matched: NotRequired[Annotated[MatchedFields | None, "what it was in an earlier model (em fit --match)"]]
    degenerate: Annotated[bool, "whether it has collapsed"]
    interval: NotRequired[
        Annotated[dict[str, object], "of a variational fit: what holds 95 % of the posterior of the above"]
    ]


class ComponentErrors(TypedDict):
    """Of a component in the units of the data."""

    component: Annotated[int, "its number, from 1"]
    weight: Annotated[float | None, "of its weight"]
    mean: Annotated[dict[str, float | None], "of its mean in each column; null where it is held, or has none"]
    sd: Annotated[dict[str, float | None], "of its standard deviation, likewise"]


class ErrorsOfNumbers(TypedDict):
    """Standard errors of all numbers, in the shapes of the parameters, whose names they bear. Null: held, or fixed."""

    components: Annotated[list[ComponentErrors], "of each component in the units of the data"]


class StandardErrorFields(TypedDict):
    """How sure the parameters are."""

    reported: Annotated[str | None, "observed or robust: which are to be believed; null if there are none"]
    reason: Annotated[str | None, "why there are none, or no robust ones"]
    robust_ratio: NotRequired[Annotated[float, "the largest of the robust errors to the others"]]
    information_left: NotRequired[Annotated[float, "the least in any direction; 1 were all labels known"]]
    hardly_told: NotRequired[Annotated[list[str], "numbers that the data hardly tell apart"]]
    without: NotRequired[Annotated[dict[str, str], "why numbers have none, by their names"]]
    observed: NotRequired[Annotated[ErrorsOfNumbers, "from the observed information"]]
    robust: NotRequired[Annotated[ErrorsOfNumbers, "by the sandwich, which holds if the model does not"]]


class RowScoreFields(TypedDict):
    """Log-density and responsibilities of the rows, or groups of rows, that were fitted (for em score --drift)."""

    n: Annotated[float, "of them, by weight"]
    log_density_mean: Annotated[float, "per row"]
    log_density_sd: Annotated[float, "standard deviation"]
    share_mean: Annotated[list[float], "responsibility of each component, and of the noise if there is any"]
    share_sd: Annotated[list[float], "standard deviation of these"]


class StreamFields(TypedDict):
    """Rows that were looked at once, as they came. What else is told of rows is of the last ones."""

    first_rows: Annotated[int, "on which the search was, and by which columns are known"]
    last_rows: Annotated[int, "of which the log-likelihood is, and whatever is told of rows"]
    batch: Annotated[int, "rows of a step"]
    batches_refused: Annotated[int, "not learnt from, since a component would have collapsed"]
    predictive_log_likelihood: Annotated[
        float | None, "of a row, before it was learnt from: the mean since the model was written before"
    ]


class ComponentTest(TypedDict):
    """Bootstrap likelihood-ratio test of K components against K + 1 (em select --test)."""

    k0: Annotated[int, "K"]
    k1: Annotated[int, "K + 1"]
    statistic: Annotated[float | None, "twice the gain in log-likelihood; null if there is no test"]
    replicates: Annotated[int, "data sets drawn from the fit of K that tell"]
    exceed: Annotated[int, "of them, those that gain as much"]
    p: Annotated[float | None, "(1 + exceed) / (1 + replicates), so never 0; null if there is none"]
    stop: Annotated[str, "why no more were drawn, or why there is no test"]


class Tested(TypedDict):
    """What a sweep says of its fit once it is tested."""

    component_tests: list[ComponentTest]
    warnings: list[WarningFields]


class Params(IdentityFields, FoundFields):
    """A fitted model: params.json, and what em fit --json prints. Beside these fields stand the parameters of the
    family, by the names of the field (covariances, rates, shapes, …) and in the order of the components."""

    structure: Annotated[str | None, "mclust's name of the covariance structure"]
    n_features_in: Annotated[int, "D, the number of columns"]
    feature_names_in: Annotated[list[str], "their names"]
    weights: Annotated[list[float], "mixing weights of the components"]
    means: NotRequired[Annotated[Numbers, "of the components, one number for each column (D)"]]
    covariances: NotRequired[Annotated[Numbers, "in scikit-learn's shape for the structure, else (K, D, D)"]]
    design: NotRequired[Annotated[list[str], "of a regression: what its coefficients are of"]]
    common_design: NotRequired[Annotated[list[str], "what of it has one coefficient for all components"]]
    coefficients: NotRequired[Annotated[Numbers, "of each component, in the order of the design"]]
    sigma: NotRequired[Annotated[list[float], "standard deviation of normal errors"]]
    shape: NotRequired[Annotated[list[float], "of a gamma response: one over its squared relative deviation"]]
    size: NotRequired[Annotated[list[float], "of a negative binomial response, whose variance is m + m²/size"]]
    typical_design: NotRequired[Annotated[list[float], "mean of the regressors, in the order of the design"]]
    typical_offset: NotRequired[Annotated[float, "mean of the offset"]]
    concomitant: NotRequired[Annotated[dict[str, object], "logits of the mixing weights against component 1"]]
    weights_fixed: NotRequired[Annotated[str, "equal or given, where the weights are not free"]]
    noise: NotRequired[Annotated[float, "weight of the noise component"]]
    noise_density: NotRequired[Annotated[float, "at which it is uniform"]]
    noise_box: NotRequired[Annotated[list[list[float]], "lowest and highest value of each column"]]
    noise_density_fixed: NotRequired[Annotated[bool, "whether it was given"]]
    noise_n_assigned: NotRequired[Annotated[float, "rows of which the noise is the likeliest, by weight"]]
    weights_meaning: NotRequired[Annotated[str, "what the weights of a chain are"]]
    transitions: NotRequired[Annotated[str | list[Any], "which of them may be: free, left-right, or rows"]]
    initial: NotRequired[Annotated[str | list[Any], "how sequences begin: free, stationary, first, or numbers"]]
    startprob: NotRequired[Annotated[list[float], "of each state, where a sequence begins"]]
    transmat: NotRequired[Annotated[list[list[float]], "from each state (row) to the next"]]
    stationary: NotRequired[Annotated[list[float] | None, "law of the states after many steps"]]
    mean_duration: NotRequired[Annotated[list[float | None], "steps for which a state lasts"]]
    sequence_column: NotRequired[Annotated[str | None, "which rows are a sequence"]]
    order_column: NotRequired[Annotated[str | None, "their time"]]
    step: NotRequired[Annotated[str | None, "of time"]]
    group_column: NotRequired[Annotated[str, "which rows share their component"]]
    n_groups: NotRequired[Annotated[int, "groups of rows that share their component"]]
    n_sequences: NotRequired[Annotated[int, "sequences"]]
    n_steps: NotRequired[Annotated[int, "steps of all sequences, gaps included"]]
    n_transitions: NotRequired[Annotated[int, "from one step to the next"]]
    components: Annotated[list[ComponentFields], "each in the units of the data, the largest first", {"default": None}]
    match: NotRequired[Annotated[MatchFields, "how they go with those of an earlier model (em fit --match)"]]
    search: Annotated[SearchFields, "how the fit was found"]
    standard_errors: Annotated[StandardErrorFields, "of the parameters"]
    row_scores: Annotated[RowScoreFields, "of the rows that were fitted"]
    component_tests: NotRequired[
        Annotated[list[ComponentTest], "of the numbers of components of the structure that was chosen"]
    ]
    log_likelihood: Annotated[float, "total, natural logarithm; of a variational fit that of the predictive"]
    prior: Annotated[
        str, "none, weak, conjugate (of a variational fit or a mode), or laplace (prior.means, prior.precisions)"
    ]
    log_prior: Annotated[float | None, "logarithm of the prior at the parameters; 0 without; null of a posterior"]
    penalised_log_likelihood: Annotated[float | None, "log-likelihood and log-prior; likewise"]
    elbo: NotRequired[Annotated[float, "of a variational fit: evidence lower bound, all constants in it"]]
    divergence: NotRequired[Annotated[float, "nats from prior to posterior (Kullback–Leibler), which are in it"]]
    effective_components: NotRequired[Annotated[int, "of a variational fit: those that bear rows"]]
    weights_posterior: NotRequired[
        Annotated[dict[str, object], "prior and posterior of the mixing weights, intervals of 95 %"]
    ]
    means_held: NotRequired[Annotated[list[list[bool]], "which means (K, D) prior.means holds at that of the data"]]
    precisions_zero: NotRequired[
        Annotated[
            list[list[list[bool]]],
            "which columns (K, D, D) prior.precisions holds independent of each other, given the others",
        ]
    ]
    prior_parameters: NotRequired[Annotated[dict[str, object], "hyperparameters of the components' prior"]]
    posterior: NotRequired[Annotated[dict[str, object], "hyperparameters of each component's posterior"]]
    intervals: NotRequired[Annotated[dict[str, object], "that hold 95 % of the posterior of what components tells"]]
    lower_bound: Annotated[float, "log-likelihood, or elbo, per row or per unit of weight"]
    n_parameters: Annotated[int, "free parameters"]
    objective: NotRequired[
        Annotated[str, "what was climbed, where it is not the log-likelihood: classification, or elbo"]
    ]
    classification_log_likelihood: NotRequired[Annotated[float, "of the rows with their likeliest components"]]
    inertia: NotRequired[Annotated[float, "sum of squared distances to the nearest mean, of k-means"]]
    bic: Annotated[float | None, "-2 log-likelihood + parameters × log(n_for_bic); null where it says nothing"]
    aic: Annotated[float | None, "-2 log-likelihood + 2 parameters; null where it says nothing"]
    icl: Annotated[float | None, "BIC and what the rows are uncertain; null where it says nothing"]
    icl_kind: Annotated[str, "map: by the likeliest component of each row, as in mclust"]
    bic_mclust: Annotated[float | None, "-BIC, as mclust prints it"]
    criterion_convention: Annotated[str, "lower is better"]
    floor: Annotated[str | None, "below which no variance falls"]
    floor_active: Annotated[bool, "whether a component is at it"]
    n_samples: Annotated[int, "rows fitted"]
    n_rows_read: Annotated[int, "rows of the data"]
    n_rows_dropped: Annotated[int, "rows not fitted"]
    missing_policy: Annotated[str, "model, drop or error"]
    weight_column: Annotated[str | None, "of case weights"]
    weight_type: Annotated[str | None, "frequency or sampling"]
    sum_weights: Annotated[float, "of the rows fitted"]
    n_for_bic: Annotated[float, "rows, or sum of their weights, in the criteria"]
    certificate: NotRequired[Annotated[str, "what is proved of the fit: that no mixture is likelier"]]
    stream: NotRequired[Annotated[StreamFields | None, "where rows were looked at as they came"]]
    start: Annotated[str, "kind of starts: auto, kmeans, …, or given"]
    criterion: NotRequired[Annotated[str, "by which the model was chosen (em select --json)"]]
    selection: NotRequired[Annotated[list[SelectionRow], "every model tried (em select --json)"]]
