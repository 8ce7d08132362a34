"""The multivariate t family."""
