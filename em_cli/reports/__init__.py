"""Pictures of a run, one kind each."""

from em_cli.registry import Registry
from em_cli.reports.kind import Kind

PICTURES = Registry[Kind](
    "picture",
    density="em_cli.reports.density:Density",
    scatter="em_cli.reports.scatter:Scatter",
    pairs="em_cli.reports.pairs:Pairs",
    discriminant="em_cli.reports.discriminant:Discriminant",
    profile="em_cli.reports.profile:Profile",
    frequencies="em_cli.reports.frequencies:Frequencies",
    levels="em_cli.reports.levels:Levels",
    items="em_cli.reports.items:Items",
    regression="em_cli.reports.regression_lines:RegressionLines",
    states="em_cli.reports.states:States",
    transitions="em_cli.reports.transitions:Transitions",
    durations="em_cli.reports.stays:Durations",
    residuals="em_cli.reports.residuals:Residuals",
    intervals="em_cli.reports.interval_plot:Intervals",
    bootstrap="em_cli.reports.clouds:Clouds",
    trace="em_cli.reports.trace:Trace",
    criterion="em_cli.reports.criterion:Criterion",
    tests="em_cli.reports.gain_histograms:ComponentTests",
    responsibilities="em_cli.reports.responsibilities:Responsibilities",
    uncertainty="em_cli.reports.uncertainty:Uncertainty",
    sizes="em_cli.reports.sizes:Sizes",
    qq="em_cli.reports.qq:QuantileQuantile",
)
