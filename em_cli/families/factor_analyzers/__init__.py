"""Mixtures of factor analysers, and of probabilistic PCA."""
