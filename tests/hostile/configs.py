"""Run configurations as people write them, and as nobody should."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    name: str
    content: str | bytes
    expected: tuple[str, ...] | None  # words of the refusal; None if it is accepted
    status: int = 2

    @property
    def bytes(self) -> bytes:
        return self.content.encode() if isinstance(self.content, str) else self.content


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefg", "bcdefgh", strict=True)
)

CONFIGS = [
    Case("ok", "data: f.csv\nk: 2\n", None),
    Case("empty", "", ("run.yaml:1:1", "a run configuration is made of 'key: value'")),
    Case("only comment", "# x\n", ("run.yaml:1:1", "a run configuration is made of 'key: value'")),
    Case("null", "null\n", ("run.yaml:1:1", "a run configuration is made of 'key: value'")),
    Case("list", "- 1\n", ("run.yaml:1:1", "a run configuration is made of 'key: value'")),
    Case("scalar", "hello\n", ("run.yaml:1:1", "a run configuration is made of 'key: value'")),
    Case("int", "5", ("run.yaml:1:1", "a run configuration is made of 'key: value'")),
    Case("dup", "k: 2\nk: 3\n", ("run.yaml:2:1", "duplicate key 'k' (first at line 1).")),
    Case(
        "dup nested",
        "data: {path: f.csv}\nsearch:\n  tol: 1\n  tol: 2\n",
        ("run.yaml:4:3", "duplicate key 'tol' (first at line 3)."),
    ),
    Case("dup quoted", 'k: 2\n"k": 3\n', ("run.yaml:2:1", "duplicate key 'k' (first at line 1).")),
    Case(
        "unknown",
        "k: 2\ncovarance: full\n",
        ("run.yaml:2:1", "unknown key 'covarance'. Did you mean", "Did you mean 'covariance'"),
    ),
    Case(
        "unknown nested",
        "k: 2\ndata: f.csv\nsearch:\n  tool: 1\n",
        ("run.yaml:4:3", "unknown key 'tool' under search. Did you", "Did you mean 'tol'"),
    ),
    Case(
        "unknown flow",
        "data: f.csv\nk: 2\nsearch: {tol: 1, maxiter: 5}\n",
        ("run.yaml:3:18", "unknown key 'maxiter' under search. Did you", "Did you mean 'max_iter'"),
    ),
    Case(
        "unknown data",
        "data: {path: f.csv, delim: ','}\nk: 2\n",
        ("run.yaml:1:21", "unknown key 'delim' under data. Did you mean", "Did you mean 'delimiter'"),
    ),
    Case(
        "yes",
        "data: {path: f.csv, header: yes}\nk: 2\n",
        ("run.yaml:1:21", "data.header 'yes': true or false is wanted."),
    ),
    Case(
        "on",
        "data: f.csv\nk: 2\nresponsibilities: on\n",
        ("run.yaml:3:1", "responsibilities 'on': true or false is wanted, or 'all', 'top' or 'none'."),
    ),
    Case("no", "data: f.csv\nk: 2\nnoise: no\n", ("run.yaml:3:1", "noise 'no': true or false is wanted.")),
    Case("NO country", "data: {path: f.csv, na: [NO, no, off]}\nk: 2\n", None),
    Case(
        "1e3",
        "data: f.csv\nk: 2\nsearch: {max_iter: 1e3}\n",
        ("run.yaml:3:10", "search.max_iter 1000.0: a whole number is"),
    ),
    Case("1e3 float", "data: f.csv\nk: 2\nsearch: {tol: 1e-3}\n", None),
    Case(
        "sexagesimal",
        "data: f.csv\nk: 2\nsearch: {time_limit: 1:30}\n",
        ("run.yaml:3:10", "search.time_limit: '1:30' is not a length of"),
    ),
    Case("sexagesimal2", "data: f.csv\nk: 1:30\n", ("run.yaml:2:1", "k: '1:30' is not a number of components:")),
    Case("octal", "data: f.csv\nk: 2\nseed: 010\n", None),
    Case("octal2", "data: f.csv\nk: 2\nseed: 0o10\n", None),
    Case(
        "underscore",
        "data: f.csv\nk: 2\nsearch: {max_iter: 1_000}\n",
        ("run.yaml:3:10", "search.max_iter '1_000': a whole number is"),
    ),
    Case("hex", "data: f.csv\nk: 0x2\n", None),
    Case("float k", "data: f.csv\nk: 2.0\n", ("run.yaml:2:1", "k 2.0: a whole number is wanted.")),
    Case("str k", "data: f.csv\nk: '2'\n", None),
    Case("bool k", "data: f.csv\nk: true\n", ("run.yaml:2:1", "k True: a whole number is wanted.")),
    Case("date", "data: f.csv\nk: 2\nout: 2020-01-01\n", None),
    Case("neg k", "data: f.csv\nk: -2\n", ("run.yaml:2:1", "k: the number of components must be at least")),
    Case("zero k", "data: f.csv\nk: 0\n", ("run.yaml:2:1", "k: the number of components must be at least 1, not 0.")),
    Case("k list", "data: f.csv\nk: [1, '2']\n", ("run.yaml:2:1", "k: a whole number is wanted.")),
    Case(
        "float huge",
        "data: f.csv\nk: 2\nsearch: {tol: 1e999}\n",
        ("run.yaml:3:10", "search.tol inf: a finite number is wanted."),
    ),
    Case(
        "nan",
        "data: f.csv\nk: 2\nsearch: {tol: .nan}\n",
        ("run.yaml:3:10", "search.tol nan: a finite number is wanted."),
    ),
    Case(
        "inf",
        "data: f.csv\nk: 2\nsearch: {tol: .inf}\n",
        ("run.yaml:3:10", "search.tol inf: a finite number is wanted."),
    ),
    Case(
        "tab", "data: f.csv\nk: 2\nsearch:\n\ttol: 1\n", ("run.yaml:4:1", "not YAML: found character '\\t' that cannot")
    ),
    Case("tab2", "data:\tf.csv\nk: 2\n", ("run.yaml:1:6", "not YAML: found character '\\t' that cannot")),
    Case("bad indent", "data: f.csv\n  k: 2\n", ("run.yaml:2:4", "not YAML: mapping values are not allowed")),
    Case("open list", "data: {path: f.csv}\nk: [2\n", ("not YAML: expected ',' or ']', but got the end of the file.",)),
    Case("open flow", "data: {path: f.csv\nk: 2\n", ("run.yaml:2:2", "not YAML: expected ',' or '}', but got ':'.")),
    Case("open quote", 'data: "f.csv\nk: 2\n', ("run.yaml:3:1", "not YAML: found unexpected end of stream.")),
    Case("colon in value", "data: a: b\n", ("run.yaml:1:8", "not YAML: mapping values are not allowed")),
    Case("multi doc", "data: f.csv\nk: 2\n---\nk: 3\n", ("run.yaml:3:1", "not YAML: but found another document.")),
    Case("doc end", "data: f.csv\nk: 2\n...\n", None),
    Case("directive", "%YAML 1.1\n---\ndata: f.csv\nk: 2\n", None),
    Case(
        "bad directive",
        "%YAML 2.9\n---\ndata: f.csv\nk: 2\n",
        ("run.yaml:1:1", "not YAML: found incompatible YAML document"),
    ),
    Case("latin1", b"data: gr\xf6\xdfe.csv\nk: 2\n", ("run.yaml:1:9", "byte 0xf6 is not valid in UTF-8: save it as")),
    Case("bom8", "\ufeffdata: f.csv\nk: 2\n", None),
    Case(
        "utf16",
        b"\xff\xfed\x00a\x00t\x00a\x00:\x00 \x00f\x00.\x00c\x00s\x00v\x00\n\x00k\x00:\x00 \x002\x00\n\x00",
        ("run.yaml:1:1", "byte 0xff is not valid in UTF-8: save it as"),
    ),
    Case("nul", "data: f.csv\nk: 2\n\x00", ("run.yaml:3:1", "not YAML: special characters are not")),
    Case("ctrl", "data: f.csv\nk: 2\nout: \x07\n", ("run.yaml:3:6", "not YAML: special characters are not")),
    Case("ctrl escaped", 'data: f.csv\nk: 2\nfamily: "\\e[31mred"\n', ("unknown family '\\x1b[31mred' (known:",)),
    Case("bidi key", "\u202ek: 2\n", ("run.yaml:1:1", "unknown key '\\u202ek'. Did you mean 'k'?")),
    Case("newline key", '"k\\nx": 2\n', ("run.yaml:1:1", "unknown key 'k\\nx' (known: data, k, family,")),
    Case("nul path", 'data: "a\\0b"\nk: 2\n', ("run.yaml:1:1", "data.path: 'a\\x00b' cannot be the name of a")),
    Case("surrogate", 'data: "\\ud800"\nk: 2\n', ("run.yaml:1:1", "data.path: '\\ud800' cannot be the name of a")),
    Case("crlf", "data: f.csv\r\nk: 2\r\nfoo: 1\r\n", ("run.yaml:3:1", "unknown key 'foo' (known: data, k, family,")),
    Case("cr", "data: f.csv\rk: 2\rfoo: 1\r", ("run.yaml:3:1", "unknown key 'foo' (known: data, k, family,")),
    Case(
        "tag python",
        "data: !!python/object/apply:os.system ['echo pwned > pwned']\nk: 2\n",
        ("run.yaml:1:7", "tags such as"),
    ),
    Case("tag python name", "data: !!python/name:os.system\n", ("run.yaml:1:7", "tags such as")),
    Case("tag custom", "data: !foo f.csv\nk: 2\n", ("run.yaml:1:7", "tags such as '!foo' are not read; write the")),
    Case(
        "tag str", "data: !!str f.csv\nk: !!int '2'\n", ("run.yaml:2:4", "tags such as 'tag:yaml.org,2002:int' are not")
    ),
    Case("tag set", "data: !!set {a, b}\nk: 2\n", ("run.yaml:1:7", "tags such as 'tag:yaml.org,2002:set' are not")),
    Case("tag binary", "data: !!binary aGk=\nk: 2\n", ("run.yaml:1:7", "tags such as 'tag:yaml.org,2002:binary' are")),
    Case("tag omap", "data: !!omap [a: 1]\nk: 2\n", ("run.yaml:1:7", "tags such as 'tag:yaml.org,2002:omap' are")),
    Case(
        "tag timestamp",
        "data: f.csv\nk: 2\nout: !!timestamp 2020-01-01\n",
        ("run.yaml:3:6", "tags such as 'tag:yaml.org,2002:timestamp'"),
    ),
    Case("tag int bad", "data: f.csv\nk: !!int x\n", ("run.yaml:2:4", "tags such as 'tag:yaml.org,2002:int' are not")),
    Case(
        "tag bool bad",
        "data: f.csv\nk: 2\nnoise: !!bool maybe\n",
        ("run.yaml:3:8", "tags such as 'tag:yaml.org,2002:bool' are"),
    ),
    Case("tag null", "data: f.csv\nk: !!null x\n", ("run.yaml:2:4", "tags such as 'tag:yaml.org,2002:null' are")),
    Case(
        "tag float",
        "data: f.csv\nk: 2\nsearch: {tol: !!float x}\n",
        ("run.yaml:3:15", "tags such as 'tag:yaml.org,2002:float' are"),
    ),
    Case(
        "tag uri",
        "%TAG ! tag:x,2000:\n---\ndata: !y f\n",
        ("run.yaml:3:7", "tags such as 'tag:x,2000:y' are not read;"),
    ),
    Case("alias ok", "data: f.csv\nk: 2\nsearch: &a {tol: 1}\n", None),
    Case("alias", "data: &d f.csv\nk: 2\nout: *d\n", ("f.csv lies in the run folder f.csv, which is",)),
    Case("alias undefined", "data: *x\nk: 2\n", ("run.yaml:1:7", "not YAML: found undefined alias 'x'.")),
    Case("alias self", "data: &a [*a]\nk: 2\n", ("run.yaml:1:7", "there are too many aliases, or one of")),
    Case("alias self map", "&a data: *a\n", ("how many components? Give -k, as in -k 3, or",)),
    Case("recursive", "&r {data: *r}\n", ("run.yaml:1:1", "there are too many aliases, or one of")),
    Case("merge", "x: &b {tol: 1}\nsearch: {<<: *b}\n", ("run.yaml:2:10", "keys must be plain words.")),
    Case("bomb", BOMB, ("run.yaml:1:24", "there are too many aliases, or one of itself")),
    Case("key int", "1: 2\n", ("run.yaml:1:1", "keys must be plain words.")),
    Case("key null", "~: 2\n", ("run.yaml:1:1", "keys must be plain words.")),
    Case("key list", "? [a]\n: 2\n", ("run.yaml:1:3", "keys must be plain words.")),
    Case("key bool", "true: 2\n", ("run.yaml:1:1", "keys must be plain words.")),
    Case(
        "key dots",
        "data.path: f.csv\nk: 2\n",
        ("run.yaml:1:1", "unknown key 'data.path'. Did you mean", "Did you mean 'data'"),
    ),
    Case("key case", "K: 2\n", ("run.yaml:1:1", "unknown key 'K'. Did you mean 'k'?")),
    Case(
        "key dash",
        "mixing-weights: equal\n",
        ("run.yaml:1:1", "unknown key 'mixing-weights'. Did you mean", "Did you mean 'mixing_weights'"),
    ),
    Case("wrong types", "data: 5\nk: 2\n", ("run.yaml:1:1", "data 5: a section with keys of its own is wanted.")),
    Case("data list", "data: [f.csv, 5]\nk: 2\n", ("run.yaml:1:15", "data.path.1 5: a text is wanted.")),
    Case("data map", "data: {path: {a: 1}}\nk: 2\n", ("run.yaml:1:8", "data.path: a list is wanted.")),
    Case(
        "search list",
        "data: f.csv\nk: 2\nsearch: [1]\n",
        ("run.yaml:3:1", "search: a section with keys of its own is wanted."),
    ),
    Case("search null", "data: f.csv\nk: 2\nsearch:\n", None),
    Case("data null", "data:\nk: 2\n", ("no data: name a CSV file, or '-' for",)),
    Case("groups", "data: f.csv\nk: 2\ngroups: {a: 1}\n", ("run.yaml:3:1", "groups: a list is wanted.")),
    Case(
        "groups extra",
        "data: f.csv\nk: 2\ngroups: [{columns: [eruptions], family: gaussian, foo: 1}]\n",
        ("family 'gaussian' has no option 'foo'",),
    ),
    Case(
        "groups no family",
        "data: f.csv\nk: 2\ngroups: [{columns: [eruptions]}]\n",
        ("run.yaml:3:10", "groups.0.family: it is required."),
    ),
    Case(
        "types list",
        "data: {path: f.csv, types: [a]}\nk: 2\n",
        ("run.yaml:1:21", "data.types: a section with keys of its own is"),
    ),
    Case(
        "types val",
        "data: {path: f.csv, types: {eruptions: 5}}\nk: 2\n",
        ("run.yaml:1:29", "data.types.eruptions 5: a text is wanted."),
    ),
    Case(
        "types null",
        "data: {path: f.csv, types: {eruptions: }}\nk: 2\n",
        ("run.yaml:1:29", "data.types.eruptions: a text is wanted."),
    ),
    Case("family map", "data: f.csv\nk: 2\nfamily: {name: student_t, dof: 5}\n", None),
    Case(
        "family map bad",
        "data: f.csv\nk: 2\nfamily: {name: student_t, doff: 5}\n",
        ("family 'student_t' has no option 'doff'. Did", "Did you mean 'dof'"),
    ),
    Case(
        "family map badname",
        "data: f.csv\nk: 2\nfamily: {name: 5}\n",
        ("run.yaml:3:1", "family 5: a text is wanted."),
    ),
    Case("family list", "data: f.csv\nk: 2\nfamily: [5]\n", ("run.yaml:3:1", "family: a text is wanted.")),
    Case(
        "covariance int",
        "data: f.csv\nk: 2\ncovariance: 5\n",
        ("run.yaml:3:1", "covariance 5: a list is wanted."),
    ),
    Case("delim", "data: {path: f.csv, delimiter: '::'}\nk: 2\n", ("--delimiter must be one character, not '::'.",)),
    Case(
        "mixing",
        "data: f.csv\nk: 2\nmixing_weights: [a]\n",
        ("run.yaml:3:1", "mixing_weights: it should be 'free' or 'equal'."),
    ),
    Case(
        "mixing str",
        "data: f.csv\nk: 2\nmixing_weights: equl\n",
        ("run.yaml:3:1", "mixing_weights: unknown value 'equl'. Did", "Did you mean 'equal'"),
    ),
    Case("model key", "data: f.csv\nmodel: {k: 2}\n", ("run.yaml:2:1", "unknown key 'model' (known: data, k, family,")),
    Case("seed str", "data: f.csv\nk: 2\nseed: '1'\n", ("run.yaml:3:1", "seed '1': a whole number is wanted.")),
    Case("seed neg", "data: f.csv\nk: 2\nseed: -1\n", ("run.yaml:3:1", "seed -1: it must be at least 0.")),
    Case("seed float", "data: f.csv\nk: 2\nseed: 1.0\n", ("run.yaml:3:1", "seed 1.0: a whole number is wanted.")),
    Case(
        "noise str",
        "data: f.csv\nk: 2\nnoise: 'yes'\n",
        ("run.yaml:3:1", "noise 'yes': true or false is wanted."),
    ),
    Case("unhashable", "{[a]: 1}\n", ("run.yaml:1:2", "keys must be plain words.")),
    Case("k huge", "k: " + "9" * 5000, ("run.yaml:1:4", "too long")),
    Case("deep", "data: " + "[" * 5000, ("run.yaml:1:27", "nested too deep")),
    Case("deep map", "".join("  " * i + "a:\n" for i in range(300)), ("run.yaml:21:41", "nested too deep")),
    Case("large", "data: f.csv\n#" + "x" * 1_000_000, ("run.yaml: is larger than any run configuration",)),
    Case("binary", bytes(range(256)), ("run.yaml:3:115", "0x80 is not valid in UTF-8")),
]
