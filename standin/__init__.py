"""A server that speaks Gemini's protocol without being Gemini: for the demo, the tests and the benchmarks.

Its answer is a deterministic rewrite, its faults come on demand. Knows nothing of the server that asks it.
"""

from standin.behaviour import Behaviour, InvalidBehaviour
from standin.counters import Counters
from standin.faults import FAULTS
from standin.server import make_app, serve_standin
from standin.state import Standin

__all__ = ["FAULTS", "Behaviour", "Counters", "InvalidBehaviour", "Standin", "make_app", "serve_standin"]
