"""The express lane: answers a status poll that repeats without an HTTP stack."""
