"""Models: what is fitted to which columns."""
