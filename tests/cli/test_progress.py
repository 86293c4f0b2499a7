"""Progress of long commands: on a terminal one line, otherwise one line per step on stderr."""

import io

from rich.console import Console

from include.cli.progress import Progress
from include.run import preview

STEPS = ("read", "extract_transactions", "fit_rfm", "report")


def test_a_step_is_shown_with_its_share_and_the_time_left():
    progress = Progress("sales.csv", STEPS, console=Console(file=io.StringIO()))

    text = progress.text("extract_transactions", elapsed=30)

    # 3 of 8.3 seconds are done after 30 seconds, so 53 are left.
    assert text == "sales.csv: 2/4 extract_transactions, 36% done, about 53 s left"


def test_the_first_step_has_no_time_left():
    progress = Progress("sales.csv", STEPS, console=Console(file=io.StringIO()))

    assert progress.text("read", elapsed=0) == "sales.csv: 1/4 read, 0% done"


def test_without_a_terminal_each_step_is_a_line_on_stderr(capsys):
    progress = Progress("sales.csv", STEPS, console=Console(file=io.StringIO()))

    with progress.shown():
        progress.at("read")
        progress.at("read", "half of it")
        progress.at("report")

    out, err = capsys.readouterr()
    assert out == ""
    assert [line.split(" ", 1)[1] for line in err.splitlines()] == [
        "sales.csv: 1/4 read, 0% done",
        "sales.csv: 4/4 report, 76% done",
    ]


def test_on_a_terminal_nothing_but_the_status_is_written(capsys):
    screen = io.StringIO()
    progress = Progress("sales.csv", STEPS, console=Console(file=screen, force_terminal=True))

    with progress.shown():
        progress.at("extract_transactions")

    assert capsys.readouterr().err == ""
    assert "sales.csv" in screen.getvalue()


def test_try_names_the_steps_that_it_runs():
    assert {"extract_transactions", "fit_churn"} <= set(preview.step_names())
