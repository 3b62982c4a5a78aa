"""Benchmarks: load generators, the peers that the server is compared with, and the tables they lead to.

Measures processes from outside, as a client and as the kernel sees them; refuses to look into them.
"""
