"""The result of ``try``: one page for a marketer and lists of customers, in English or Turkish.

``gather`` computes a summary from the handoffs of a run. ``sentences`` says what holds, ``charts`` and
``grids`` draw, ``page`` writes the page, ``lists`` the lists. Texts are in ``words/``, one file per language.
"""
