from include.quality.document import DATASETS, PAGE, page
from include.quality.rules import suite


def test_the_page_in_docs_is_the_one_that_the_rules_write():
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m include.quality.document"


def test_every_rule_has_a_line():
    written = page()

    assert [rule.name for d in DATASETS for rule in suite(d) if f"| `{rule.name}` |" not in written] == []
