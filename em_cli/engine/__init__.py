"""Expectation-maximisation as a map over blocks of rows and a sum in block order.

NumPy only: no file, no terminal, no part by name. Letters, everywhere: n rows, D columns,
F features, K components, R stacked candidates, B blocks. Arrays over rows have the rows last.
"""
