"""Distributions of single columns. Here is what one is made of: see the README of the families, step by step."""

from em_cli.engine.arrays import Array
from em_cli.engine.columns import Columns
from em_cli.engine.declared_numbers import Parameter
from em_cli.families.distributions.columnwise import Columnwise
from em_cli.families.distributions.declared import Declared
from em_cli.families.distributions.degeneracies import floor
from em_cli.families.distributions.distribution import Values
from em_cli.families.distributions.parameters import above_zero, any_number, from_zero, from_zero_to_one
from em_cli.families.distributions.positive import unit
from em_cli.families.distributions.support import COUNTS, NON_NEGATIVE, POSITIVE, PROPORTIONS, YES_OR_NO, Support

__all__ = [
    "COUNTS",
    "NON_NEGATIVE",
    "POSITIVE",
    "PROPORTIONS",
    "YES_OR_NO",
    "Array",
    "Columns",
    "Columnwise",
    "Declared",
    "Parameter",
    "Support",
    "Values",
    "above_zero",
    "any_number",
    "floor",
    "from_zero",
    "from_zero_to_one",
    "unit",
]
