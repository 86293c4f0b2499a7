"""Every code in the package is documented, and every documented code is used."""

import ast
from pathlib import Path

from include.intake import codes

PACKAGE = Path(codes.__file__).parent
PAGE = Path(__file__).parents[2] / "docs" / "intake.md"
LISTS = (codes.QUESTIONS, codes.REFUSALS, codes.WARNINGS, codes.NOTES, codes.REASONS)


def test_the_page_lists_every_code_with_its_meaning():
    page = PAGE.read_text(encoding="utf-8")

    missing = [
        code for listed in LISTS for code, text in listed.items() if f"| `{code}` | {text} |" not in page
    ]

    assert missing == []


def test_the_codes_in_the_package_are_the_documented_ones():
    words = set()
    for path in PACKAGE.glob("*.py"):
        if path.name != "codes.py":
            tree = ast.parse(path.read_text(encoding="utf-8"))
            words |= {
                n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)
            }
    words |= {
        word for path in PACKAGE.glob("platforms.yaml") for word in path.read_text(encoding="utf-8").split()
    }
    given = set()
    for path in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                if name in ("warn", "note", "Refused", "Question"):
                    given.add(node.args[0].value)

    documented = {code for listed in LISTS for code in listed}
    unused = {code for code in documented if not any(code in str(word) for word in words)}

    assert given <= documented
    assert unused == set()
