"""Memory of a process that runs several steps."""

import gc
import weakref

from include.run.memory import collecting_new_objects, release_unused


class Node:
    """An object that refers to itself, so only the collector can free it."""

    def __init__(self):
        self.itself = self


def test_releasing_frees_what_a_step_made():
    with collecting_new_objects():
        made = weakref.ref(Node())
        release_unused(is_frozen=True)
        assert made() is None


def test_later_releases_do_not_search_what_was_there_before():
    node = Node()
    before = weakref.ref(node)
    with collecting_new_objects():
        del node
        release_unused(is_frozen=True)
        assert before() is not None
        assert gc.get_freeze_count() > 0

    assert gc.get_freeze_count() == 0
    release_unused()
    assert before() is None
