"""Help as people ask for it: short, whole, by topic, as manual pages, by the shell; and names from elsewhere."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys

import pytest
from program import ENVIRONMENT, ROOT, SAMPLES, em, em_process

from em_cli.app import program
from em_cli.config.usual_names import MEANT, OTHER_NAMES, usual_name
from em_cli.options.known_elsewhere import COMMANDS, OPTIONS

START = "import sys; sys.argv[0] = 'em'\nfrom em_cli.app import main\n"
HEADINGS = ("Arguments:", "Data:", "Model:", "Search:", "Place:", "Output:", "Config:", "Screen:", "Options:")


def names(page):
    """The options that a page lists, by the last of their names."""
    found = [line.split() for line in page.splitlines() if line.startswith("  -")]
    return [next(word.rstrip(",") for word in reversed(line) if word.startswith("-")) for line in found]


@pytest.mark.parametrize("verb", ["fit", "select"])
def test_short_help_has_ten_options_and_an_example_and_fits_a_screen(verb, tmp_path):
    page = em(verb, "-h", cwd=tmp_path).out
    assert len(names(page)) == 11 and names(page)[-1] == "--help"
    assert f"Example: em {verb} data.csv" in page and len(page.splitlines()) <= 23
    assert all(len(line) <= 80 for line in page.splitlines())


def test_whole_help_stands_under_the_headings_of_the_code(tmp_path):
    page = em("fit", "--help", cwd=tmp_path).out
    assert set(HEADINGS) <= set(page.splitlines())
    assert set(names(em("fit", "-h", cwd=tmp_path).out)) <= set(names(page))
    assert em("help", "fit", cwd=tmp_path).out == page
    assert em("help", "config", "show", cwd=tmp_path).out == em("config", "show", "--help", cwd=tmp_path).out


def test_the_program_alone_says_where_to_start(tmp_path):
    alone = em(cwd=tmp_path, status=2)
    assert alone.out == "" and "Start here" in alone.err and "em fit data.csv -k 3" in alone.err
    assert em("-h", cwd=tmp_path).out == alone.err and len(alone.err.splitlines()) <= 22
    assert "Choose the number of components." in em("--help", cwd=tmp_path).out
    assert em("config", cwd=tmp_path, status=2).err == em("config", "--help", cwd=tmp_path).out
    assert em("-V", cwd=tmp_path).out == em("--version", cwd=tmp_path).out


def test_the_commands_of_the_start_page_run_as_they_stand(tmp_path):
    shutil.copy(SAMPLES / "faithful.csv", tmp_path / "data.csv")
    lines = [line.strip().split("   ")[0] for line in em("-h", cwd=tmp_path).out.splitlines()]
    shown = [line.split()[1:] for line in lines if line.startswith("em ") and "COMMAND -h" not in line]
    assert len(shown) == 4
    for words in shown:
        em(*words, *(["--effort", "low"] if words[0] in ("fit", "select") else []), cwd=tmp_path)
    assert (tmp_path / "out.csv").read_text().startswith('"eruptions","waiting","component","probability"\n')


def test_every_command_has_both_pages_and_a_manual(tmp_path):
    for verb in program().commands:
        short, whole = em(verb, "-h", cwd=tmp_path).out, em(verb, "--help", cwd=tmp_path).out
        assert short.startswith(f"Usage: em {verb} ") and whole.startswith(f"Usage: em {verb} ")
        example = next((line for line in short.splitlines() if "Example: " in line), "").partition(";")[0]
        assert all(option in short.replace(example, "") for option in re.findall(r" (--?[a-zA-Z][a-z-]*)", example)), (
            verb
        )
        manual = em("help", "--man", verb, cwd=tmp_path).out
        assert manual.startswith(f'.TH "EM-{verb.upper()}" "1"')
        assert all(name.replace("-", "\\-") in manual for name in names(whole))


def test_all_manual_pages_at_once_as_a_wheel_has_them(tmp_path):
    em("help", "--man", "--out", "man", cwd=tmp_path)
    written = {file.name for file in (tmp_path / "man").iterdir()}
    assert {"em.1", "em-fit.1", "em-config-schema.1"} < written and len(written) > 25
    assert (tmp_path / "man/em-fit.1").read_text() == em("help", "--man", "fit", cwd=tmp_path).out
    assert "em help --man --out DIR" in em("help", "--out", "man", cwd=tmp_path, status=2).err


@pytest.mark.skipif(shutil.which("man") is None, reason="there is no man here")
def test_man_reads_the_manual(tmp_path):
    (tmp_path / "em-fit.1").write_text(em("help", "--man", "fit", cwd=tmp_path).out)
    plain = ENVIRONMENT | {"MANPAGER": "cat", "MANWIDTH": "80"}
    page = subprocess.run(["man", "-l", "em-fit.1"], cwd=tmp_path, capture_output=True, text=True, env=plain)
    assert "em-fit - Fit one mixture" in page.stdout and "--checkpoint-every" in page.stdout and page.stderr == ""


def test_the_version_waits_for_no_more_than_the_help():
    code = f"{START}try: main()\nexcept SystemExit: print(*sys.modules)"
    loaded = []
    for argument in ("--version", "--help"):
        run = subprocess.run([sys.executable, "-c", code, argument], capture_output=True, text=True, check=True)
        loaded.append(set(run.stdout.splitlines()[-1].split()))
    assert loaded[0] <= loaded[1]
    assert not {"numpy", "pydantic", "rich", "pandas"} & loaded[1]


@pytest.mark.parametrize("columns", ["0", "1", "5", "19", "none"])
def test_help_on_a_terminal_that_is_hardly_one(columns, tmp_path):
    for asked in (("--help",), ("fit", "--help"), ("fit", "-h"), ("help", "select")):
        assert "Usage: em" in em(*asked, cwd=tmp_path, env={"COLUMNS": columns}).out


ANSWERED = {
    "fit x.csv --n-init 3": "em fit has no option --n-init: --restarts N",
    "fit x.csv --random-state 3": "--seed N is what it is called here",
    "fit x.csv --n_components=3": "-k N is the number of components",
    "fit x.csv --k 3": "-k N is the number of components",
    "fit x.csv --standardize": "and needs none: units and origins of columns do not change the answer",
    "fit x.csv --init kmeans": "--start NAME|FILE says how starts are made",
    "fit x.csv --max_iter 3": "Did you mean --max-iter?",
    "fit x.csv --covarance full": "em fit has no option --covarance. Did you mean --covariance? See em fit --help.",
    "fit x.csv --criterion aic": "--criterion is an option of em select",
    "predict m x.csv --labelled": "--append writes the data",
    "--verison": "em has no option --verison. Did you mean --version? See em --help.",
    "fti x.csv": "em has no command 'fti'. Did you mean 'fit'? See em --help.",
    "ls": "em has no command 'ls': here it is em runs.",
    "config shwo": "em config has no command 'shwo'. Did you mean 'show'?",
}


@pytest.mark.parametrize("line", ANSWERED)
def test_names_from_elsewhere_are_answered(line, tmp_path):
    assert ANSWERED[line] in em(*line.split(), cwd=tmp_path, status=2).err


def test_every_answer_names_what_there_is(tmp_path):
    from em_cli.app import Commands

    commands = Commands()
    known = {name for one in commands.values() for option in one.params for name in option.opts}
    assert {option for option, _ in OPTIONS.values() if option} <= known
    assert {meant.split()[0] for meant in COMMANDS.values()} <= {*commands, "--version"}
    assert not set(COMMANDS) & set(commands)
    assert all(usual_name(name.upper()) == family for name, family in OTHER_NAMES.items())


def test_families_by_the_names_that_people_know(tmp_path):
    shutil.copy(SAMPLES / "faithful.csv", tmp_path)
    fit = ("fit", "faithful.csv", "-k", 2, "--restarts", 1, "--json")
    assert json.loads(em(*fit, "--family", "T", cwd=tmp_path).out)["family"] == "student_t"
    usual = em(*fit, cwd=tmp_path).out
    assert em(*fit, "--type", "waiting=normal", "--type", "eruptions=gmm", "--dry-run", cwd=tmp_path)
    for name in ("normal", "GMM", "mvn", "Gaussian"):
        assert json.loads(em(*fit, "--family", name, cwd=tmp_path).out)["family"] == json.loads(usual)["family"]
    for name, meant in MEANT.items():
        said = em(*fit, "--family", name, cwd=tmp_path, status=2).err
        assert f"{name} is --family {meant} here." in said
    em(*fit, "--family", *MEANT["lpa"].split(), cwd=tmp_path)
    swept = em(
        "select", "faithful.csv", "--family", "normal,t", "--k-range", 1, "--restarts", 1, "--json", cwd=tmp_path
    )
    assert {row["family"] for row in json.loads(swept.out)["selection"]} == {"gaussian", "student_t"}


def test_a_variable_that_nothing_reads_is_told(tmp_path):
    said = em("runs", cwd=tmp_path, env={"EM_SEDE": "3", "EM_DEBUG": "0", "EM_SEED": "1"}).err
    assert said == "em: warning: nothing is read from EM_SEDE in the environment. Did you mean EM_SEED?\n"


COMPLETED = {
    "em fi": ["fit"],
    "em fit faithful.csv --columns er": ["eruptions"],
    "em fit faithful.csv --exclude eruptions,": ["eruptions,waiting"],
    "em fit faithful.csv --type wa": ["waiting="],
    "em fit faithful.csv --weights ": ["eruptions", "waiting"],
    "em select x.csv --family gaussian,stu": ["gaussian,student_t"],
    "em fit x.csv --covariance ti": ["tied"],
    "em fit x.csv --effort n": ["normal"],
    "em show fai": ["faithful-k2.em"],
    "em guide sea": ["search"],
    "em help sel": ["select"],
    "em fit x.csv --prog": ["--progress"],
    "em fit fai": [],  # the shell offers files
    "em fit faithful.csv --by er": ["eruptions"],
    "em fit faithful.csv --group wa": ["waiting"],
    "em fit faithful.csv --response wa": ["waiting"],
    "em fit faithful.csv --concomitant eruptions,wa": ["eruptions,waiting"],
    "em fit faithful.csv --match fai": ["faithful-k2.em"],
    "em fit faithful.csv --files ": [],  # a column that is made
    "em fit x.csv --inference va": ["variational"],
    "em relate faithful-k2.em --outcome of": ["of-the-run"],
    "em bootstrap faithful-k2.em --kind para": ["parametric"],
    "em plot faithful-k2.em --kind den": ["density"],
}


@pytest.mark.parametrize("line", COMPLETED)
def test_the_shell_completes(line, tmp_path, monkeypatch):
    shutil.copy(SAMPLES / "faithful.csv", tmp_path)
    (tmp_path / "faithful-k2.em").mkdir()
    (tmp_path / "faithful-k2.em/params.json").write_text("{}")
    (tmp_path / "faithful-k2.em/manifest.json").write_text('{"data": {"layout": {"columns": ["of-the-run"]}}}')
    asked = {"_EM_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}
    assert em(cwd=tmp_path, env=asked).out.split() == COMPLETED[line]


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
def test_bash_completes_by_the_script_that_is_shown(tmp_path):
    """As it is installed: the script is read by bash, which then asks the program."""
    (tmp_path / "em").write_text(f'#!/bin/sh\nexec {sys.executable} -m em_cli "$@"\n')
    (tmp_path / "em").chmod(0o755)
    shown = em_process(env={"_EM_COMPLETE": "source_bash"}, cwd=tmp_path).out
    ask = (
        f'{shown}\nCOMP_WORDS=(em fit x.csv --covariance ti); COMP_CWORD=4\n_em_completion em; echo "${{COMPREPLY[@]}}"'
    )
    env = ENVIRONMENT | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(["bash", "-c", ask], cwd=tmp_path, capture_output=True, text=True, env=env)
    assert done.stdout.strip() == "tied", done.stderr


NAMES = [
    "Total spend",
    "it's",
    'in "',
    "a$HOME",
    "`id`",
    "a;b",
    "(c)",
    "*",
    "back\\slash",
    "größe",
    "[d]",
    "~",
    "e&f|g<h>",
    "!i",
]


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
@pytest.mark.parametrize("quote", ["", "'", '"'])
def test_bash_reads_what_it_completed_as_the_name_that_was_meant(quote, tmp_path):
    """Whatever a column is called: with a quotation mark that was typed before it, or with none."""
    with (tmp_path / "x.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([NAMES, [*range(len(NAMES))], [*range(len(NAMES))]])
    line = f"em fit x.csv --exclude {quote}"
    offered = em(cwd=tmp_path, env={"_EM_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": "4"}).out
    words = " ".join(f"{quote}{value}{quote}" for value in offered.splitlines())
    read = subprocess.run(["bash", "-c", f"printf '%s\\n' {words}"], cwd=tmp_path, capture_output=True, text=True)
    assert read.stdout.splitlines() == NAMES, read.stderr


def test_bash_goes_on_behind_a_name_with_a_blank(tmp_path):
    (tmp_path / "x.csv").write_text("Total spend,Signup date\n1,2\n3,4\n")
    line = "em fit x.csv --exclude Total\\ spend,Si"
    offered = em(cwd=tmp_path, env={"_EM_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": "4"}).out
    assert offered == "Total\\ spend,Signup\\ date\n"


def test_zsh_is_offered_no_name_that_it_would_run(tmp_path):
    (tmp_path / "x.csv").write_text("a\\b,it's,`id`,Total spend\n1,2,3,4\n5,6,7,8\n")
    offered = em(cwd=tmp_path, env={"_EM_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": "em fit x.csv --id "}).out
    assert offered == "_arguments '*: :((\"Total spend\"))'\n"


def test_completion_waits_for_no_heavy_library(tmp_path):
    shutil.copy(SAMPLES / "faithful.csv", tmp_path)
    asked = {"_EM_COMPLETE": "complete_bash", "COMP_WORDS": "em fit faithful.csv --columns ", "COMP_CWORD": "4"}
    code = f"{START}try: main()\nfinally: print(*sys.modules, file=sys.stderr)"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, env=ENVIRONMENT | asked
    )
    assert run.stdout.split() == ["eruptions", "waiting"]
    assert not {"pandas", "scipy", "matplotlib"} & set(run.stderr.split())
