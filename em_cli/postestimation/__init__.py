"""What is asked of a run that is there: rows scored and drawn, its certainty, tests, comparisons, relations."""
