"""Limits that are written in SQL and in Python are the same number."""

import re

from include import sql_text
from include.models import drift


def test_the_view_and_the_note_of_a_run_call_the_same_index_a_shift():
    (limit,) = re.findall(r"> (\S+) as has_shifted", sql_text.read("view", "vw_model_drift"))

    assert float(limit) == drift.SHIFTED
