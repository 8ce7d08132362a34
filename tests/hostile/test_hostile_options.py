"""Values of options that cannot be are refused, each in one message; none is ignored."""

import json
from pathlib import Path

import pytest
from models import DOCUMENTS
from refusal import refused

ROWS = "a,b\n3.6,79\n1.8,54\n3.3,74\n2.2,62\n4.5,85.5\n1.9,51\n"

FIT = {
    "-k ''": "'' is not a number of components",
    "-k 0": "at least 1",
    "-k -3": "at least 1",
    "-k 1.5": "'1.5' is not a number of components",
    "-k nan": "'nan' is not",
    "-k 1e3": "'1e3' is not",
    "-k 2,": "'2,' is not",
    "-k 99999999999999999999": "between 1 and 10000",
    "-k 1-3": "em select",
    "-k 2 --tol nan": "--tol nan: a finite number is wanted",
    "-k 2 --tol inf": "--tol inf: a finite number is wanted",
    "-k 2 --tol -1": "--tol -1.0: it must be above 0",
    "-k 2 --tol 1e-400": "--tol 0.0: it must be above 0",
    "-k 2 --tol ''": "--tol '': a number is wanted",
    "-k 2 --tol x": "--tol 'x': a number is wanted",
    "-k 2 --max-iter 0": "--max-iter 0: it must be at least 1",
    "-k 2 --max-iter 1e3": "--max-iter '1e3': a whole number is wanted",
    "-k 2 --max-iter 99999999999999999999": "it must be at most 1,000,000,000",
    "-k 2 --seed -1": "seed",
    "-k 2 --seed 1.5": "--seed '1.5': a whole number is wanted",
    "-k 2 --restarts 0": "--restarts 0: it must be at least 1",
    "-k 2 --restarts 1e9": "--restarts '1e9': a whole number is wanted, or 'auto'",
    "-k 2 --restarts 99999999999": "--restarts",
    "-k 2 --restarts ''": "--restarts ''",
    "-k 2 --threads 0": "threads",
    "-k 2 --threads 1000000": "threads",
    "-k 2 --threads nan": "threads",
    "-k 2 --time-limit nan": "--time-limit: 'nan'",
    "-k 2 --time-limit 1e400": "--time-limit: '1e400'",
    "-k 2 --time-limit ''": "--time-limit: ''",
    "-k 2 --family ''": "family",
    "-k 2 --covariance ''": "--covariance '' names nothing",
    "-k 2 --covariance ,": "--covariance ',' names nothing",
    "-k 2 --prior strong": "prior",
    "-k 2 --columns ''": "--columns '' names nothing",
    "-k 2 --exclude ''": "--exclude '' names nothing",
    "-k 2 --type =count": "--type COLUMN=TYPE",
    "-k 2 --type a=": "unknown type ''",
    "-k 2 --type a=count --type a=numeric": "two types: 'count' and 'numeric'",
    "-k 2 --type a=product": "family 'product' is that of several groups",
    "-k 2 --type a=gaussian:3": "gaussian has nothing that is told behind a colon. Use --type a=gaussian.",
    "-k 2 --type a=poisson:x": "poisson has nothing that is told behind a colon. Use --type a=poisson.",
    "-k 2 --type b=student_t:abc": "--type b=student_t:abc: the dof must be 'free' or 'common' or a number, not 'abc'",
    "-k 2 --type b=ppca:1.5": "--type b=ppca:1.5: the n_factors must be a whole number, not 1.5",
    "-k 2 --type b=von_mises:0": "period must be a number above 0",
    "-k 2 --type b=von_mises:1e400": "--type b=von_mises:1e400: the period must be a number",
    "-k 2 --weight-type sampling": "--weights",
    "-k 2 --weight-type x": "--weight-type: unknown value 'x'",
    "-k 2 --delimiter ''": "--delimiter must be one character",
    "-k 2 --delimiter é": "--delimiter must be an ASCII character",
    "-k 2 --decimal 5": "--decimal '5' would be part of numbers",
    "-k 2 --thousands -": "--thousands '-' would be part of numbers",
    "-k 2 --comment ,  --delimiter ,": "--comment ',' is the delimiter",
    "-k 2 --encoding ''": "is not an encoding",
    "-k 2 --encoding ../../x": "is not an encoding",
    "-k 2 --encoding base64": "is not an encoding",
    "-k 2 --missing ''": "--missing: unknown value ''",
    "-k 2 --out ''": "is no name of a run folder",
    "-k 2 --out -": "is no name of a run folder",
    "-k 2 --params ''": "--params '' names no file",
    "-k 2 --params d.csv": "--params would overwrite d.csv",
    "-k 2 --events ''": "--events '' names no file",
    "-k 2 --events d.csv": "--events would overwrite d.csv",
    "-k 2 --params x --responsibilities x": "--responsibilities would overwrite",
    "-k 2 --format ''": "--format ''",
    "-k 2 --json --format human": "contradict",
    "-k 2 --progress ''": "unknown --progress ''",
    "-k 2 --color x": "unknown --color 'x'",
    "-k 2 -v": "--quiet and --verbose contradict",
    "-k 2 --set ''": "key=value",
    "-k 2 --set k.a=1": "k: a whole number is wanted",
    "-k 2 --set search=5": "search 5: a section with keys of its own is wanted",
    "-k 2 --set data=": "data.path",
    "-k 2 --set x.y=1": "unknown key 'x'",
    "-k 2 --set mixing_weights=[.nan,1]": "mixing_weights",
    "-k 2 --set mixing_weights=[.inf,-.inf]": "mixing_weights",
    "-k 2 --set mixing_weights=[]": "mixing_weights",
    "-k 2 --set mixing_weights=[1]": "mixing_weights has 1 number",
    "-k 2 --set noise=-1": "noise",
    "-k 2 --set family.dof=3": "'dof' is an option of a family",
    "-k 2 --family student_t --set family.dof=.nan": "dof",
    "-k 2 --family student_t --set family.dof=[1]": "dof",
    "-k 2 --family factor_analyzers --set family.n_factors=x": "n_factors",
    "-k 2 --family factor_analyzers --set family.n_factors=1.5": "n_factors",
    "-k 2 --family factor_analyzers --set family.n_factors=0": "n_factors",
    "-k 2 --family factor_analyzers --set family.n_factors=9": "9 factors",
    "-k 2 --family gaussian --set family.means=x": "means of family 'gaussian' must be a list of lists of numbers",
    "-k 2 --family gaussian --set family.means=[[1,2],[.nan,3]]": "means of family 'gaussian' must be a list of",
    "-k 2 --start ''": "neither a way to start nor a file",
    "-k 2 --start nowhere": "neither a way to start nor a file",
    "-k 2 --strict=yes": "--strict",
    "-k 2 --bogus": "em fit has no option --bogus.",
    "-k 2 -c ''": "no such configuration file|cannot be read",
    "-k 2 -c .": "cannot be read as a configuration",
}  # fmt: skip

OTHERS = {
    "fit": "no data",
    "fit d.csv -q": "how many components",
    "select d.csv -q --k-range 0": "at least 1",
    "select d.csv -q --k-range 1-": "'1-' is not",
    "select d.csv -q --k-range 1-99999999": "is not a number of components",
    "select d.csv -q --criterion ''": "unknown criterion ''",
    "select d.csv -q --covariance all,full": "unknown covariance 'all'",
    "predict": "MODEL",
    "predict m.json": "DATA",
    "predict m.json d.csv --missing x": "--missing: unknown value 'x'",
    "predict m.json d.csv -o ''": "--out '' names no file",
    "predict m.json d.csv -o d.csv": "would overwrite d.csv",
    "predict m.json d.csv --k 2": "em predict has no option --k",
    "sample m.json": "Give -n",
    "sample m.json -n x": "-n or --rows 'x': a whole number is wanted",
    "sample m.json -n -5": "-n or --rows '-5': it must be at least 0",
    "sample m.json -n 3 --seed 1e400": "--seed '1e400': a whole number is wanted",
    "impute m.json d.csv --draws -1": "--draws '-1': it must be at least 0",
    "parts families gaussian more": "more",
    "doctor much more": "'much more' is more than em doctor takes",
    "help fit more": "em fit has no command 'more', or any other",
    "export m.json --to sql --table ''": "--table '' names nothing",
    "export m.json --to sas": "--to 'sas' is nothing that a model can be exported to",
    "config show": "FILE",
    "nothing": "em has no command 'nothing'",
    "--nothing": "em has no option --nothing",
}


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("d.csv").write_text(ROWS)
    Path("m.json").write_text(json.dumps(DOCUMENTS["gaussian"]))


@pytest.mark.parametrize(("options", "word"), FIT.items(), ids=FIT)
def test_options_of_a_fit(options, word):
    err = refused(f"fit d.csv -q {options}", 2)
    assert any(choice in err for choice in word.split("|")), err


@pytest.mark.parametrize(("line", "word"), OTHERS.items(), ids=OTHERS)
def test_options_of_other_commands(line, word):
    refused(line, 2, (word,))


def test_a_file_is_no_place_of_runs():
    refused("runs d.csv", 3, ("d.csv is no folder in which runs could be.",))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("fit d.csv -k 2 --seed abc", "--seed 'abc': a whole number is wanted"),
        ("fit d.csv -k 2 --seed 1.5", "--seed '1.5': a whole number is wanted"),
        ("fit d.csv -k 2 --max-iter many", "--max-iter 'many': a whole number is wanted"),
        ("fit d.csv -k 2 --tol small", "--tol 'small': a number is wanted"),
        ("sample d.em --rows -4", "-n or --rows '-4': it must be at least 0"),
    ],
)
def test_values_of_options_are_judged_in_words_of_our_own(line, words, monkeypatch):
    refused(line, 2, (words,))
    monkeypatch.setenv("EM_SEED", "x")
    refused("fit d.csv -k 2", 2, ("EM_SEED 'x': a whole number is wanted",))
    monkeypatch.setenv("EM_SEED", "1")
    monkeypatch.setenv("EM_TOL", "-1")
    refused("fit d.csv -k 2", 2, ("EM_TOL -1.0: it must be above 0",))
