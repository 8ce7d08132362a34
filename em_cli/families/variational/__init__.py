"""Approximate posteriors of the parameters of families that have conjugate priors."""
