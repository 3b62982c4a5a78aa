"""axe-core in a page: what it finds wrong, short enough to read in a failed test."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page


def violations(page: Page, node_modules: Path, *rules: str) -> list[str]:
    """Return one line per violation of these rules, or of any: the rule and the element it was found on."""
    if not page.evaluate("'axe' in window"):
        page.evaluate((node_modules / "axe-core" / "axe.min.js").read_text("utf-8"))
    found = page.evaluate("rules => axe.run(rules.length ? { runOnly: rules } : {})", rules)
    return [f"{rule['id']}: {node['html'][:160]}" for rule in found["violations"] for node in rule["nodes"]]
