"""Texts in which two phrases have taken each other's places."""

from __future__ import annotations


def exchanged(text: str, first: str, second: str) -> str:
    return text.replace(first, "\0").replace(second, first).replace("\0", second)
