"""What stands in a row of `selection.csv`."""

from __future__ import annotations

from typing import Annotated, NotRequired, TypedDict

Number = float | None


class SelectionRow(TypedDict):
    """A model of a sweep. A value that there is not is a blank in the table, null in JSON."""

    k: Annotated[int, "number of components"]
    covariance: Annotated[str, "covariance structure; blank where there is none"]
    model: Annotated[str, "what the model is called: mclust's name of the structure, or the family"]
    family: Annotated[str, "of the columns"]
    log_likelihood: Annotated[Number, "total; blank if no start gave a fit"]
    n_parameters: Annotated[int | None, "free parameters"]
    bic: Annotated[Number, "Schwarz (1978); of all criteria the lower value is better"]
    aic: Annotated[Number, "Akaike (1974)"]
    icl: Annotated[Number, "Biernacki, Celeux & Govaert (2000), by the likeliest component of each row"]
    aicc: Annotated[Number, "Hurvich & Tsai (1989); blank where there are too few rows"]
    caic: Annotated[Number, "Bozdogan (1987)"]
    sabic: Annotated[Number, "Sclove (1987)"]
    icl_entropy: Annotated[Number, "ICL with the entropy of the responsibilities"]
    elbo: NotRequired[Annotated[Number, "-2 times the evidence lower bound of a variational fit"]]
    cv: NotRequired[Annotated[Number, "cross-validation: -2 log density of rows left out (--criterion cv)"]]
    cv_per_row: NotRequired[Annotated[Number, "log predictive density of a row left out, the higher the better"]]
    cv_se: NotRequired[Annotated[Number, "its standard error"]]
    cv_gap: NotRequired[Annotated[Number, "by how much it is below the highest, per row"]]
    cv_gap_se: NotRequired[Annotated[Number, "standard error of that, from the differences of each row"]]
    test_statistic: NotRequired[Annotated[Number, "twice the log-likelihood that one component more gains (--test)"]]
    test_replicates: NotRequired[Annotated[int | None, "data sets drawn from this model that tell"]]
    test_exceed: NotRequired[Annotated[int | None, "of them, those that gain as much"]]
    test_p: NotRequired[Annotated[Number, "(1 + test_exceed) / (1 + test_replicates), so never 0"]]
    test_stop: NotRequired[Annotated[str | None, "why no more were drawn, or why there is no test"]]
    delta: Annotated[Number, "how much the criterion is above that of the chosen model"]
    clear: Annotated[bool | None, "whether that is more than the searches may have missed; blank of the chosen"]
    entropy: Annotated[Number, "of the responsibilities, total"]
    smallest_share: Annotated[Number, "weight of the smallest component"]
    largest_share: Annotated[Number, "weight of the largest component"]
    starts: Annotated[int | None, "climbs in restarts.csv"]
    at_best: Annotated[int | None, "climbs that ended at the best value"]
    searches: Annotated[int | None, "searches, or restarts, that were made"]
    reached: Annotated[int | None, "of them, those that came to the best value"]
    depth: Annotated[str, "of the search: deep, or light where a model is far from the best; blank of --restarts"]
    degenerate: Annotated[int | None, "climbs that ended in a component that has collapsed"]
    remaining: Annotated[Number, "nats that more iterations would gain"]
    optimisation_error: Annotated[Number, "nats by which the best value may have been missed"]
    prior: Annotated[
        str, "none, weak or conjugate; where only some have one they are not ranked: their criteria are blank"
    ]
    status: Annotated[
        str, "why the climb ended; failed if there is no fit; not needed if fewer components are the global maximum"
    ]
    note: Annotated[str, "chosen, and what else is to be said"]
