"""Random files of known truth: none is read wrong, and questions and refusals have a cause."""

from tests.intake.random_files import run, shares


def test_no_random_file_is_read_wrong():
    outcomes, bad = run(150, seed=0)

    print(shares(outcomes))
    assert not bad, "\n".join(bad)
    assert outcomes["read"] >= 0.9 * sum(outcomes.values())
