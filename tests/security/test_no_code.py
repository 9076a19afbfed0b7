"""Nothing that is read becomes code: the ways in which Python does that are not in the house."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "warden"
NEVER_CALLED = {
    "eval", "exec", "compile", "__import__", "os.system", "os.popen", "yaml.load",
    "yaml.full_load", "yaml.unsafe_load", "marshal.loads", "marshal.load", "runpy.run_path",
}  # fmt: skip
NEVER_IMPORTED = {"pickle", "shelve", "dill", "code", "codeop", "runpy"}
FILES = [path for path in sorted(PACKAGE.rglob("*.py")) if "share" not in path.parts]


def wrong(tree: ast.AST) -> list[str]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            shell = any(
                one.arg == "shell" and getattr(one.value, "value", True) for one in node.keywords
            )
            pickled = any(
                one.arg == "allow_pickle" and getattr(one.value, "value", True)
                for one in node.keywords
            )
            unsafe_load = name == "np.load" and all(
                one.arg != "allow_pickle" for one in node.keywords
            )
            if name in NEVER_CALLED or shell or pickled or unsafe_load:
                found.append(f"{node.lineno}: {name}")
        names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        found += [name for name in names if name.split(".")[0] in NEVER_IMPORTED]
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_runs_what_it_reads(path):
    assert wrong(ast.parse(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "text",
    [
        "eval(x)", "exec(x)", "import pickle", "from pickle import loads", "yaml.load(x)",
        "subprocess.run(x, shell=True)", "np.load(x)", "np.load(x, allow_pickle=True)",
    ],
)  # fmt: skip
def test_what_would_run_it_is_noticed(text):
    assert wrong(ast.parse(text)) != []
