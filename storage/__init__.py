"""Redis as the rooms see it: the connection, key names, scripts, tracked reads, and the embedded server.

Refuses to know what any key means.
"""
