"""`em`: mixture models for CSV files, fitted by expectation-maximisation."""

__version__ = "0.1.0"
