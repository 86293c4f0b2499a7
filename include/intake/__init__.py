"""Read a sales file of any kind: format, encoding, dialect, columns, types, platform, figures, warnings.

``inspect`` returns the answer and, if the file was read, its lines in canonical columns.
``docs/intake.md`` documents the codes of warnings, questions and refusals.
"""

from include.intake.answer import Answer, Asks, Question, Refused
from include.intake.options import Options
from include.intake.reading import Reading, inspect

__all__ = ["Answer", "Asks", "Options", "Question", "Reading", "Refused", "inspect"]
