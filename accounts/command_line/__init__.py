"""The commands of this room: ``accounts …`` and ``admin-keys …``."""
