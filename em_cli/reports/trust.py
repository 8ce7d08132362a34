"""How far the result is to be trusted: diagnostics with what they mean, and warnings with what to do."""

from __future__ import annotations

from collections.abc import Sequence

from em_cli.documents.found import WarningFields
from em_cli.engine.arrays import Array
from em_cli.reports import diagnostics, qq
from em_cli.reports.bootstrap import REPLICATES
from em_cli.reports.diagnostics import Misfit
from em_cli.reports.finished_run import FinishedRun
from em_cli.reports.html import Child, Html, bullets, figure_of, join, paragraph, split_table, table, tag
from em_cli.reports.numbers import shown
from em_cli.reports.style import short

MOST_COMPONENTS = 20  # of a table of pairs
ON_PAPER = 8  # probabilities that stand side by side on a page
MOST_COLUMNS = 40
MOST_NAMED = 5  # in a sentence
ASTRAY = 1 / 3  # of the points outside a band that 5 % should leave: chance moves neighbours together
MEANS = {
    "none": "no misfit detected",
    "slight": "slight: hardly to be seen in a picture",
    "some": "some: the shape of the distribution is not quite met; look at the picture",
    "unknown": "cannot be said: too few replicates could be compared",
    "poor": "poor: another family, a transformation or more components may do better",
}
ADVICE = {
    "not_converged": "Fit again with more iterations (--max-iter).",
    "reached_once": "Search for longer: --effort high, or more --restarts.",
    "degenerate_set_aside": "Look at the rows of that solution; try a smaller -k.",
    "few_rows": "Try a smaller -k, or a structure with fewer parameters such as --covariance tied.",
    "close_call": "Search for longer (--effort high), or take both models for equally good.",
    "unpredictable_rows": "Nothing, where they are few; else leave out the column, or join its rare levels.",
    "match_unclear": "Compare the components of both models; take neither name for granted.",
    "match_gone": "See em compare of both runs: the component may have been divided, or joined with another.",
    "edge_of_range": "Widen the range of k.",
    "other_family": "Fit again with the options that are named.",
    "families_untried": "Fit again with --other-families, which takes longer.",
    "more_parameters_than_rows": "Choose a simpler structure or a smaller -k.",
    "simpler_covariance": "Nothing has to be done; em select --covariance full,tied,diag compares them.",
    "not_identified": "Choose the smaller -k that is named, or fit more columns.",
    "runaway_coefficients": "Read no size off such coefficients; what is predicted by them holds.",
    "text_column": "If the column is a category, say so with --type.",
    "date_column": "Turn it into numbers first if it is to be fitted.",
    "row_names": "Name it with --id to have it in the output.",
    "empty_column": "Nothing has to be done, unless the column should have been full.",
    "first_rows": "Name with --type what is taken for something else, and begin anew.",
    "batches_refused": "Have larger batches (--set search.algorithm.batch=N), or a smaller -k.",
    "early": "Take the result of the run itself when it has ended.",
    "slow_disk": "Name a folder on another disk with --cache, or allow more memory with --memory.",
    "rows_dropped": "Say with --na what marks a missing cell, or keep such rows with --missing model.",
    "decimal_comma": "Check that the numbers are those of the file; --decimal says how they are written.",
    "no_header": "Check that the first line of the file is a row; --header takes it for the names of the columns.",
    "lines_above": "Check that the table begins below; --skip N says where it does.",
    "numbers_undressed": "Check what was taken off; --type NAME=categorical keeps the cells as they are.",
    "phase_unused": "Nothing has to be done; where the phase is sure, haplotypes can be counted without a model.",
    "proportions_unlikely": "Leave out with --exclude what is no locus, and take one population at a time.",
    "blanks_between": "Check that the columns are those of the file; --delimiter says what is between them.",
    "time_column": "Use --unit COLUMN=s if these are durations.",
    "several_numbers": "Have a column for each number if they are to be fitted.",
    "code_column": "Say what it is with --type COLUMN=categorical or --type COLUMN=numeric if it is to be fitted.",
    "quoted_column": "Say what it is with --type COLUMN=categorical or --type COLUMN=numeric if it is to be fitted.",
    "quoted_numbers": "Say what the numbers are with --type COLUMN=numeric or --type COLUMN=categorical.",
    "too_many_levels": "Fit it with --type COLUMN=categorical, or take rare levels together first.",
    "missing_level": "Fit again with the --na-level that is named, if the word is an answer like the others.",
    "looks_like_missing": "Fit again with the --na that is named, if the value marks missing cells.",
    "looks_like_total": "Take the row out of the file.",
    "looks_like_date": "Leave it out with --exclude, unless time is what is to be grouped.",
    "looks_like_angle": "Fit again with the --type that is named.",
    "row_numbers": "Nothing has to be done; name the column with --columns if it is a measurement.",
    "repeated_ids": "Give rows of one id one component with --group, or carry the ids to the outputs with --id.",
    "looks_like_id": "Leave it out with --exclude or --id if it is no measurement.",
    "looks_like_weights": "Fit again with the --weights that is named, if the numbers count alike cases.",
    "fractional_weights": "Use --weight-type sampling if they weight the rows of a sample.",
    "looks_like_code": "Say what the numbers are with --type COLUMN=categorical or --type COLUMN=numeric.",
    "mixed_levels": "If the words mark missing values, use --na WORD.",
    "few_levels": "If the numbers are amounts, use --type COLUMN=numeric.",
    "point_mass": "Nothing has to be done; --type COLUMN=numeric takes the column as a number.",
    "many_levels": "Leave the column out, or take rare levels together.",
    "levels_alike": "Write the levels alike in the file if they mean the same, and fit again.",
    "missing_modelled": "Nothing has to be done if cells are missing at random; else compare with --missing drop.",
    "constant_column": "Nothing has to be done.",
    "nearly_empty": "Nothing has to be done; --columns names what is to be fitted anyway.",
    "copied_columns": "Nothing has to be done for what is left out; what is fitted as asked for counts twice.",
    "empty_rows": "Nothing has to be done: these rows say nothing.",
    "no_choice": "Compare all under a prior (--prior weak), or with fewer parameters (--covariance tied).",
    "not_ranked": "Compare all under a prior (--prior weak), or with fewer parameters (--covariance tied).",
    "weak_prior": "Try a smaller -k, or leave out the column that the warning names.",
    "unstable_topics": "Build on the topics that are found again; try a smaller -k, or --effort high.",
    "documents_named": "Nothing has to be done; --document names another column, --exclude leaves this one out.",
    "documents_joined": "Nothing has to be done if these rows are parts of one document.",
    "columns_left_out": "Count what it holds first if it is to be fitted, or name it with --text.",
    "terms_left_out": "Nothing has to be done: terms that never occur say nothing.",
    "lines_added": "Nothing has to be done if the same term may be counted in several lines.",
    "empty_documents": "Nothing has to be done: documents without a token say nothing.",
    "time_limit": "Give it more time.",
    "interrupted": "Run it again to its end.",
}


def section_of(run: FinishedRun) -> Html:
    """Overlap, certainty, foundations and misfit."""
    parts = [tag("h3", "Do the components overlap?"), _overlap(run)] if len(run.names) > 1 else []
    parts += [tag("h3", "Does every component rest on enough?"), _foundations(run)]
    if (check := diagnostics.fit_check(run)).misfits:
        found = check.misfits
        parts += [tag("h3", "Are the columns described well?"), _verdict(run, found), _misfit(run, found)]
        parts += [_collapsed(check.collapsed)] if check.collapsed else []
    return join(parts)


def _overlap(run: FinishedRun) -> Html:
    rows = run.shown
    confused, r_squared = diagnostics.overlap(rows), diagnostics.entropy_r_squared(rows)
    pairs = diagnostics.worst_pairs(confused)
    said = [
        f"A row of component {short(run.names[i])} is on average given to component {short(run.names[j])} "
        f"with a probability of {shown(p, 3)}."
        for i, j, p in pairs
    ]
    return join(
        [
            paragraph(
                "Classification certainty (entropy R²) is ",
                figure_of(r_squared, shown(r_squared, 3)),
                f": {_certainty(r_squared)} 1 would be certainty in every row, 0 none at all.",
            ),
            bullets(said) or paragraph("No component takes more than 1 % of the rows of another."),
            _confusion(run, confused) if len(confused) <= MOST_COMPONENTS else None,
        ]
    )


def _certainty(r_squared: float) -> str:
    if r_squared > 0.9:
        return "nearly every row has one component that it belongs to."
    if r_squared > 0.7:
        return "most rows have one component that they belong to; those between two should not be counted for either."
    return "many rows lie between components: speak of probabilities, not of groups."


def _confusion(run: FinishedRun, confused: Array) -> Html:
    names: list[Child] = [short(name) for name in run.names]
    lines: list[list[Child]] = [
        [name, *(figure_of(float(p), shown(float(p), 3)) for p in row)]
        for name, row in zip(names, confused, strict=True)
    ]
    caption = "Mean probability of each component (columns) for the rows of each component (lines)"
    return split_table(caption, ["", *names], lines, fixed=1, most=ON_PAPER, class_="numbers")


def _foundations(run: FinishedRun) -> Html:
    found = diagnostics.poorly_founded(run)
    if not found:
        return paragraph("Yes: none is degenerate, tiny, or has more parameters than its rows can tell.")
    said = [f"Component {short(run.names[place])} may be spurious: {reason}." for place, reason in found]
    return join([bullets(said), paragraph("Look at the rows of such a component before it is given a name.")])


def _verdict(run: FinishedRun, found: list[Misfit]) -> Html:
    """In words, what misfits: columns by themselves, and columns together; and whose components are not normal."""
    bad = [misfit for misfit in found if misfit.grade not in ("none", "unknown")]
    alone = [_named(run, misfit) for misfit in bad if len(misfit.places) == 1]
    together = [_named(run, misfit) for misfit in bad if len(misfit.places) == 2]
    said = []
    if all(misfit.grade == "unknown" for misfit in found):
        said.append(
            "That cannot be said: too few of the replicates drawn from the model could be compared with the rows."
        )
    elif not bad:
        paired = {place for misfit in found if len(misfit.places) == 2 for place in misfit.places}
        pairs = f", and no pair of the {len(paired)} columns looked at in pairs," if paired else ""
        said.append(f"Yes, as far as this many rows can show: no column{pairs} misfits.")
    if alone:
        said.append(f"Not all: the distribution of {_some(alone)} is not met.")
    if together:
        said.append(
            f"{'Nor is' if alone else 'Not all:'} how {_some(together)} go together{'' if alone else ' is not met'}: "
            "more components, or a family that lets columns depend on each other, may help."
        )
    return join([paragraph(" ".join(said)), *(paragraph(words) for words in _of_distances(run))])


def _of_distances(run: FinishedRun) -> list[str]:
    """The verdict of the picture of Mahalanobis distances."""
    if not run.elliptic:
        return []
    group = max(run.elliptic, key=lambda one: len(one.columns))
    law = "t" if group.dof is not None else "normal"
    shares = {k: qq.outside(qq.quantiles(run, group, k)) for k in range(min(run.k, qq.MOST_COMPONENTS))}
    beyond = {k: share for k, share in shares.items() if share > ASTRAY}
    if not beyond:
        return [f"Seen by their distances from the means (quantile–quantile picture), the rows may well be {law}."]
    said = ", ".join(f"{share:.0%} in component {short(run.names[k])}" for k, share in beyond.items())
    return [f"Seen by their distances from the means, not all is {law}: outside the band of the picture lie {said}."]


def _named(run: FinishedRun, misfit: Misfit) -> str:
    return " and ".join(short(run.column(place).name) for place in misfit.places)


def _some(names: list[str]) -> str:
    more = len(names) - MOST_NAMED
    return "; ".join(names[:MOST_NAMED]) + (f"; and {more:,} more" if more > 0 else "")


def _misfit(run: FinishedRun, found: list[Misfit]) -> Html:
    """Columns, the worst first, and the worst of the pairs, with what it means."""
    alone = [misfit for misfit in found if len(misfit.places) == 1]
    together = [misfit for misfit in found if len(misfit.places) == 2]
    shown_pairs = [misfit for misfit in together if misfit.grade != "none"][:MOST_COLUMNS] or together[:1]
    lines: list[list[Child]] = [
        [
            _named(run, misfit),
            figure_of(misfit.distance, shown(misfit.distance, 3)),
            misfit.measure,
            shown(misfit.noise, 3),
            MEANS[misfit.grade],
        ]
        for misfit in [*alone[:MOST_COLUMNS], *shown_pairs]
    ]
    caption = "Distance between what was observed and what the fit expects, of columns and of pairs of columns"
    more = len(alone) - MOST_COLUMNS
    return join(
        [
            table(caption, ["column", "distance", "measure", "critical value", "verdict"], lines),
            paragraph(
                "The distance is the largest difference of the two distribution functions (Kolmogorov–Smirnov), or "
                "half the sum of the differences of frequencies (total variation), of pairs beside independence. "
                "Were the model true, all distances together would stay below their critical values in about "
                "twenty-nine reports out of thirty. That was found by rows drawn from the model, to which it was "
                "fitted again where it had been fitted to the rows.",
                f" Of {len(together):,} pairs of columns those that misfit are listed, or the farthest."
                if together
                else None,
                f" {more} more columns fit better than these." if more > 0 else None,
            ),
        ]
    )


def _collapsed(count: int) -> Html:
    return paragraph(
        f"Fitted again, the model collapsed in {count} of the {REPLICATES} replicates. Those are compared with the "
        "model they were drawn from, which lies farther from them than one that was fitted: the limits are too wide "
        "rather than too narrow, and so many components may be more than the rows can carry."
    )


def warnings(run: FinishedRun) -> Html | None:
    """What `em` warned of, and what to do about it."""
    return told(run.document["warnings"])


def told(warnings: Sequence[WarningFields]) -> Html | None:
    """Each warning, with what to do."""
    return bullets([join([tag("p", warning["message"]), _advice(warning["code"])]) for warning in warnings])


def _advice(code: str) -> Html | None:
    return tag("p", tag("strong", "What to do: "), ADVICE[code]) if code in ADVICE else None


def small_print(run: FinishedRun) -> str:
    """Which rows the diagnostics look at."""
    rows = run.shown
    return f"Computed from a random sample of {rows.n:,} of {rows.n_fitted:,} rows." if rows.n < rows.n_fitted else ""
