"""Distributions of single columns, of which families with independent columns are made."""
