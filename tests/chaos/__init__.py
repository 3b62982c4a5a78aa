"""Faults made on purpose, and what must be true in spite of them: ``python -m tests.chaos``.

Everything is real: processes of ``main.py``, Redis, the stand-in for Gemini, signals, sockets. Loopback only.
"""
