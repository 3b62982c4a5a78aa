"""A stand-in for Google Gemini: its protocol, a deterministic rewrite as its answer, and its faults on demand.

For the demo, the tests and the benchmarks; knows nothing of the server that asks it.
"""

from standin.behaviour import FAULTS, Behaviour
from standin.server import Standin, serve_standin

__all__ = ["FAULTS", "Behaviour", "Standin", "serve_standin"]
