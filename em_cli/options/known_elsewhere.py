"""Names that people bring from other programs, and what answers them here."""

from __future__ import annotations

from collections.abc import Mapping

NOT_NEEDED = "units and origins of columns do not change the answer; --transform COL=log fits one on another scale"

OPTIONS: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(
        ("n-init", "nstart", "n-start", "n-starts", "starts", "nrep", "nrun", "random-starts", "n-restarts"),
        ("--restarts", "--restarts N makes N starts; without it em searches until its ends agree"),
    ),
    **dict.fromkeys(
        ("random-state", "random-seed", "rng", "rseed", "set-seed"),
        (
            "--seed",
            "--seed N is what it is called here; 0 unless you say otherwise, so runs are reproducible",
        ),
    ),
    **dict.fromkeys(
        ("k", "n-components", "num-components", "ncomp", "n-clusters", "nclusters", "num-clusters", "clusters"),
        ("-k", "-k N is the number of components; em select --k-range 1-9 chooses it"),
    ),
    **dict.fromkeys(
        ("nclass", "n-classes", "classes", "n-groups", "groups", "segments", "n-states", "g"),
        ("-k", "-k N is the number of components; em select --k-range 1-9 chooses it"),
    ),
    **dict.fromkeys(("standardize", "standardise", "normalize", "normalise", "scale", "scaling"), ("", NOT_NEEDED)),
    **dict.fromkeys(("center", "centre", "whiten", "zscore", "z-score"), ("", NOT_NEEDED)),
    **dict.fromkeys(
        ("init", "init-params", "initialization", "init-method", "means-init", "warm-start"),
        ("--start", "--start NAME|FILE says how starts are made; without it several ways are tried"),
    ),
    **dict.fromkeys(
        ("covariance-type", "cov", "cov-type", "model-names", "modelnames", "structure"),
        ("--covariance", "--covariance NAME is what it is called here: full, tied, diag, spherical, EII … VVV"),
    ),
    **dict.fromkeys(
        ("reg-covar", "regularization", "ridge", "min-covar"),
        ("--prior", "what collapses is set aside and told; --prior weak keeps components from it"),
    ),
    **dict.fromkeys(
        ("n-iter", "maxiter", "iter", "iterations", "max-iterations", "itmax", "max-iters"),
        ("--max-iter", "--max-iter N is the most iterations of a start"),
    ),
    **dict.fromkeys(
        ("tolerance", "eps", "epsilon", "precision"),
        ("--tol", "--tol sets how much log-likelihood, in all, may remain to be gained"),
    ),
    **dict.fromkeys(
        ("n-jobs", "jobs", "cores", "workers", "nthreads", "n-threads", "num-threads", "parallel"),
        ("--threads", "--threads N|auto is how many are used; it changes no result"),
    ),
    **dict.fromkeys(
        ("distribution", "dist", "model", "emission", "measurement"),
        ("--family", "--family NAME is what it is called here; em parts families lists them"),
    ),
    **dict.fromkeys(
        ("output", "output-dir", "outdir", "out-dir", "outfile", "save", "dest"),
        ("--out", "-o, --out is where results go"),
    ),
    **dict.fromkeys(("sep", "separator", "delim"), ("--delimiter", "--delimiter C is what it is called here")),
    "dec": ("--decimal", "--decimal C is what it is called here"),
    **dict.fromkeys(
        ("na-values", "na-string", "na-strings", "null", "missing-values", "nan"),
        ("--na", "--na TEXT marks missing cells (repeatable)"),
    ),
    **dict.fromkeys(
        ("skiprows", "skip-rows", "skip-lines"), ("--skip", "--skip N is how many lines stand above the header")
    ),
    **dict.fromkeys(
        ("usecols", "features", "variables", "vars", "indicators", "cols", "fields", "select"),
        ("--columns", "--columns A,B names the columns to fit"),
    ),
    **dict.fromkeys(("drop", "ignore", "omit", "skip-columns"), ("--exclude", "--exclude A,B leaves columns out")),
    **dict.fromkeys(
        ("weight", "sample-weight", "sample-weights", "case-weights", "freq", "frequency"),
        ("--weights", "--weights COL names the column of case weights"),
    ),
    **dict.fromkeys(
        ("index", "index-col", "row-id", "key"), ("--id", "--id COL is carried to the outputs, never fitted")
    ),
    **dict.fromkeys(("n-samples", "n-rows", "nsample", "size", "count"), ("--rows", "-n N is how many rows to draw")),
    **dict.fromkeys(("ic", "metric", "score"), ("--criterion", "--criterion bic|aic|icl|… chooses by it")),
    **dict.fromkeys(
        ("threshold", "contamination", "cutoff", "quantile"),
        ("--alpha", "--alpha P lists the rows whose tail probability is at most P"),
    ),
    "method": (
        "--algorithm",
        "--algorithm NAME says how a start is taken to its maximum; em parts algorithms lists them",
    ),
    **dict.fromkeys(("overwrite", "replace", "yes", "y", "clobber"), ("--force", "--force replaces what is there")),
    **dict.fromkeys(("timeout", "max-time", "time"), ("--time-limit", "--time-limit 10m ends with the best so far")),
    **dict.fromkeys(("silent", "no-progress"), ("--quiet", "-q says nothing but the result and errors")),
    **dict.fromkeys(
        ("append", "assign", "add-column", "with-labels", "predictions"),
        ("--labelled", "--labelled FILE writes the data with the component of each row"),
    ),
    **dict.fromkeys(
        ("labelled", "labeled", "add-columns", "keep-columns", "passthrough"),
        ("--append", "--append writes the data with the component of each row"),
    ),
    **dict.fromkeys(("plot", "figures", "graphs"), ("--plots", "--plots draws pictures into the run folder")),
    **dict.fromkeys(("html", "pdf-report"), ("--report", "--report writes report.html into the run folder")),
    "outliers": (
        "--noise",
        "--noise adds a component for rows of no other; em outliers lists unlikely rows",
    ),
    "time-column": ("--order", "--order COL is time, by which rows of a sequence are sorted"),
}  # without dashes: the option that answers ('' if none is needed), and how

COMMANDS: Mapping[str, str] = {
    "ls": "runs",
    "list": "runs",
    "version": "--version",
    "cluster": "fit",
    "train": "fit",
    "run": "fit",
    "sweep": "select",
    "tune": "select",
    "label": "predict",
    "classify": "predict",
    "assign": "predict",
    "transform": "predict",
    "evaluate": "score",
    "generate": "sample",
    "simulate": "sample",
    "draw": "plot",
    "fill": "impute",
    "anomalies": "outliers",
    "summary": "show",
    "print": "show",
    "describe": "show",
    "families": "parts families",
    "models": "parts families",
    "docs": "guide",
    "man": "help --man",
    "topics": "guide",
    "init": "config init",
    "schema": "config schema",
    "diff": "compare",
}  # what it is here


def plain(name: str) -> str:
    """An option without its dashes, as it is looked up."""
    return name.lstrip("-").partition("=")[0].lower().replace("_", "-")
