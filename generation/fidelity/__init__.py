"""What an answer keeps of its draft: facts, language, and being a rewrite at all. Pure functions of texts."""

from generation.fidelity.languages import language
from generation.fidelity.verdict import Guard, Verdict

__all__ = ["Guard", "Verdict", "language"]
