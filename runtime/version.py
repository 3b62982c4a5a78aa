"""The version of the program. Refuses to know anything else."""

VERSION = "1.0.0"
