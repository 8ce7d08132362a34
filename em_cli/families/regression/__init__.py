"""Regressions: a response given regressors, in each component by coefficients of its own."""
