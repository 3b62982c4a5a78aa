"""Command line of this room: evaluate, and the probe of check-config. Refuses to know how settings are read."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from generation.evaluation import evaluate, table
from generation.gemini import CredentialsUnusable, Gemini, ProxyUnusable, open_session, open_tokens, probe
from generation.prompt_text import PromptText, TemplatesUnusable
from runtime.command_options import CONFIG
from runtime.logs import configure_logging
from runtime.settings import Settings


def evaluate_command(read_settings: Callable[..., Settings]) -> Any:
    """Make the command; ``read_settings`` takes the path of a settings file and sections that win over it."""

    @click.command("evaluate")
    @CONFIG
    @click.option("--bed", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=True)
    @click.option("--model", help="Model to ask, instead of gemini.model.")
    @click.option("--thinking-level", help="Level to ask with, instead of gemini.thinking_level.")
    @click.option("--parallel", type=click.IntRange(1, 100), default=4, show_default=True)
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object per row instead of the table.")
    def command(
        config: Path | None, bed: Path, model: str | None, thinking_level: str | None, parallel: int, *, as_json: bool
    ) -> None:
        """Send a bed of prompts to Gemini and print, per language and kind, what its answers keep.

        The bed is a JSON list of {id, language, business_type, kind, manual_prompt, facts}. Every row is one request,
        which Google bills.
        """
        settings = read_settings(config, gemini={"model": model, "thinking_level": thinking_level})
        configure_logging(settings.logs)
        rows = _rows(bed)

        async def run() -> None:
            async with open_session(settings.gemini) as session, open_tokens(settings.gemini) as tokens:
                gemini, texts = Gemini(session, settings.gemini, tokens=tokens), _templates(settings)
                outcomes = await evaluate(rows, gemini, texts, deadline_s=settings.gemini.deadline_s, parallel=parallel)
            if as_json:
                for row, outcome in zip(rows, outcomes, strict=True):
                    members = {name: getattr(outcome, name) for name in outcome.__slots__}
                    click.echo(json.dumps({"id": row.get("id")} | members, ensure_ascii=False))
            else:
                click.echo("\n".join(table(outcomes)))

        try:
            asyncio.run(run())
        except (ProxyUnusable, CredentialsUnusable) as exc:
            raise click.ClickException(str(exc)) from exc

    return command


def probe_models(settings: Settings) -> None:
    """Ask each model of the settings one word and print its answer; exit with 1 unless every one answers."""
    configure_logging(settings.logs)
    try:
        findings = asyncio.run(probe(settings.gemini))
    except (ProxyUnusable, CredentialsUnusable) as exc:
        raise click.ClickException(str(exc)) from exc
    for finding in findings:
        click.echo(finding.line())
    if silent := [finding.model for finding in findings if not finding.works]:
        raise click.ClickException(f"{len(silent)} of {len(findings)} models do not answer: {', '.join(silent)}")


def _templates(settings: Settings) -> PromptText:
    try:
        return PromptText(settings.prompt.templates_folder)
    except TemplatesUnusable as exc:
        raise click.ClickException(str(exc)) from exc


def _rows(bed: Path) -> list[dict[str, Any]]:
    try:
        rows = json.loads(bed.read_text("utf-8"))
    except ValueError as exc:
        raise click.ClickException(f"--bed: {bed} is not JSON: {exc}") from exc
    if not isinstance(rows, list) or not all(isinstance(row, dict) and "manual_prompt" in row for row in rows):
        raise click.ClickException(f"--bed: {bed} is not a list of objects with manual_prompt")
    return rows
