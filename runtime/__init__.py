"""The foundations of a process: settings, logs, metrics.

Knows nothing of prompts, accounts or HTTP; every other room may import it.
"""
