"""Headers and words of shops in several languages."""

from __future__ import annotations

from pathlib import Path

import yaml

_LANGUAGES = yaml.safe_load((Path(__file__).parent / "languages.yaml").read_text(encoding="utf-8"))
HEADERS: dict[str, list[str]] = _LANGUAGES["headers"]
WORDS: dict[str, list[str]] = _LANGUAGES["words"]
