"""What a process needs before it can do anything: settings, logs, metrics.

Knows nothing of prompts, accounts or HTTP; every other room may import it.
"""
