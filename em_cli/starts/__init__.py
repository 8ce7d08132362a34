"""Places to climb from."""

from em_cli.engine.protocols import Start
from em_cli.registry import Registry

STARTS = Registry[Start](
    "start",
    kmeans="em_cli.starts.kmeans:KMeans",
    sphered="em_cli.starts.sphered:Sphered",
    projection="em_cli.starts.projection:Projection",
    random="em_cli.starts.random:Random",
    hierarchical="em_cli.starts.hierarchical:Hierarchical",
    **{"kmeans++": "em_cli.starts.kmeans_seeds:KMeansSeeds"},
)
