"""Benchmarks: load generators, the peers that the server is compared with, and tables of the results.

Measures processes from outside, as a client and as the kernel sees them; refuses to look into them.
"""
