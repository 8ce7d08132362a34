"""A model in other languages: one formula of its scores, and how each language writes it."""
