"""Google Gemini over its REST API: one call in, an answer or a named failure out."""

from generation.gemini.answer import Answer
from generation.gemini.client import Gemini, Observer, open_session
from generation.gemini.errors import GeminiError

__all__ = ["Answer", "Gemini", "GeminiError", "Observer", "open_session"]
