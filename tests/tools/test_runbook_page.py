import re

from include.incidents.kinds import KINDS, UNKNOWN
from tools.write_runbook import PAGE, page


def test_the_runbook_is_what_the_kinds_say():
    assert PAGE.read_text() == page(), "run: python -m tools.write_runbook"


def test_every_message_names_a_section_that_exists():
    headings = re.findall(r"^## (\S+)$", PAGE.read_text(), re.M)

    assert [kind.section.partition("#")[2] for kind in [*KINDS.values(), UNKNOWN]] == headings
