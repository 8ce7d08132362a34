"""Latent Dirichlet allocation by variational Bayes (Blei, Ng & Jordan 2003)."""
