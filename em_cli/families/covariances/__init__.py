"""Structures of the component covariances of a Gaussian mixture."""

from em_cli.registry import Registry

COVARIANCES = Registry(
    "covariance",
    full="em_cli.families.covariances.full:Full",
    tied="em_cli.families.covariances.tied:Tied",
    diag="em_cli.families.covariances.diag:Diagonal",
    spherical="em_cli.families.covariances.spherical:Spherical",
)
