"""What a climb goes by, by name."""

LOG_LIKELIHOOD = "log_likelihood"
PENALISED = "penalised_log_likelihood"  # by a prior
ELBO = "elbo"  # evidence lower bound, in its place where parameters are approximate posteriors
