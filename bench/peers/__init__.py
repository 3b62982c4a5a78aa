"""Small programs that do what the server does, each as its framework's own documentation shows it.

They run in ``bench/.venv`` and import nothing of the server's.
"""
