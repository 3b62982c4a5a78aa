"""Google Gemini over its REST API: one call in, an answer or a named failure out."""

from generation.gemini.answer import GeminiAnswer
from generation.gemini.call import Afford, IgnoringObserver, Observer, afford_all
from generation.gemini.client import Gemini
from generation.gemini.credentials import CredentialsUnusable, open_tokens
from generation.gemini.errors import GeminiError
from generation.gemini.probing import probe
from generation.gemini.session import ProxyUnusable, open_session
from generation.gemini.usage import Usage

__all__ = [
    "Afford",
    "CredentialsUnusable",
    "Gemini",
    "GeminiAnswer",
    "GeminiError",
    "IgnoringObserver",
    "Observer",
    "ProxyUnusable",
    "Usage",
    "afford_all",
    "open_session",
    "open_tokens",
    "probe",
]
