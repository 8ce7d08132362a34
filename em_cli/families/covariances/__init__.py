"""Structures of the component covariances of a Gaussian mixture."""

from em_cli.families.covariances.structure import CovarianceStructure
from em_cli.registry import Registry

COVARIANCES = Registry[CovarianceStructure](
    "covariance",
    {"full": "VVV", "tied": "EEE", "diag": "VVI", "spherical": "VII"},
    EII="em_cli.families.covariances.eii:EII",
    VII="em_cli.families.covariances.spherical:Spherical",
    EEI="em_cli.families.covariances.eei:EEI",
    VEI="em_cli.families.covariances.vei:VEI",
    EVI="em_cli.families.covariances.evi:EVI",
    VVI="em_cli.families.covariances.diag:Diagonal",
    EEE="em_cli.families.covariances.tied:Tied",
    VEE="em_cli.families.covariances.vee:VEE",
    EVE="em_cli.families.covariances.eve:EVE",
    VVE="em_cli.families.covariances.vve:VVE",
    EEV="em_cli.families.covariances.eev:EEV",
    VEV="em_cli.families.covariances.vev:VEV",
    EVV="em_cli.families.covariances.evv:EVV",
    VVV="em_cli.families.covariances.full:Full",
)
