"""The table of attacks in docs/trust.md is made from the tests: run this file to write it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

TOP = Path(__file__).parents[2]
DOCUMENT = TOP / "docs" / "trust.md"
BEGIN = "<!-- attacks: written by `python tests/shape/test_attack_table.py` -->\n"
END = "<!-- end of attacks -->"


def attacks() -> Iterator[tuple[str, str, str]]:
    """Code, test and what it shows, for every test that is marked as an attack."""
    for path in sorted((TOP / "tests" / "attacks").glob("test_*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if not isinstance(node, ast.FunctionDef):
                continue
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.attack":
                    code = ast.literal_eval(mark.args[0])
                    yield code, node.name, (ast.get_docstring(node) or "").partition("\n")[0]


def table() -> str:
    """The table, sorted by code."""
    rows = [
        f"| `{code}` | {name.removeprefix('test_').replace('_', ' ')} | {shows} |"
        for code, name, shows in sorted(attacks())
    ]
    return "\n".join(["| code | attack | what the test shows |", "| --- | --- | --- |", *rows]) + "\n"


def test_the_table_is_what_the_tests_are() -> None:
    """Whoever adds an attack runs this file."""
    text = DOCUMENT.read_text(encoding="utf-8")
    assert text.partition(BEGIN)[2].partition(END)[0] == table()


def test_every_refusal_of_the_trust_stage_is_explained() -> None:
    """Each code that the trust stage or the repository can raise stands in the document's table of refusals."""
    explained = set(re.findall(r"E_[A-Z_]+", DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)[0]))
    raised = {
        code
        for folder in ("trust", "repository")
        for path in (TOP / "haoam_sync" / folder).glob("*.py")
        for code in re.findall(r'code="(E_[A-Z_]+)"', path.read_text(encoding="utf-8"))
    }
    operators = {
        "E_REPOSITORY",
        "E_NO_COMMIT",
        "E_NO_GIT",
        "E_NO_GPG",
        "E_NO_SSH_KEYGEN",
        "E_PROGRAM_VERSION",
        "E_SIGN",
        "E_STATE",
        "E_ATTEST_RACE",
    }
    assert raised - operators <= explained


if __name__ == "__main__":
    before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)
    DOCUMENT.write_text(before + BEGIN + table() + END + rest.partition(END)[2], encoding="utf-8")
