"""The curl lines of the README are run as they stand there, one after the other, against a real demo."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.deploy.processes import ROOT, demo

README = (ROOT / "README.md").read_text("utf-8")
LOCAL = "http://127.0.0.1:8000"  # what the README says


@dataclass(frozen=True)
class Line:
    """A command and the HTTP status that its comment promises; 200 where it names none."""

    command: str
    status: int


def endpoint_lines() -> list[Line]:
    """Read the shell block of the section "Endpoints": comments, and commands that may go on after a backslash."""
    section = README.partition("\n## Endpoints\n")[2].partition("\n## ")[0]
    block = section.partition("```sh\n")[2].partition("```")[0].replace("\\\n", " ")
    lines: list[Line] = []
    promised = 200
    for line in block.splitlines():
        if line.startswith("#"):
            found = re.search(r"\b[1-5]\d\d\b", line)
            promised = int(found[0]) if found else 200
        elif line:
            lines.append(Line(line, promised))
    return lines


@dataclass
class Shell:
    """Runs commands with the README's variables; curl tells the status on standard error."""

    url: str
    variables: dict[str, str]

    def run(self, line: Line) -> tuple[int, int, str]:
        """Return exit code, HTTP status and what was printed."""
        command = line.command.replace(LOCAL, self.url)
        environment = os.environ | self.variables
        done = subprocess.run(
            ["bash", "-c", command], env=environment, check=False, capture_output=True, text=True, timeout=180
        )
        return done.returncode, int(done.stderr or 0), done.stdout


def test_the_section_has_a_line_for_every_endpoint() -> None:
    commands = "\n".join(line.command for line in endpoint_lines())
    assert all(line.command.startswith("curl ") for line in endpoint_lines())
    for path in (
        *("/generate-prompt-async/ ", "/status/", "/events/", "/cancel/", "/generate-prompt/ "),
        *("/account/ ", "/account/ledger/", "/health/live", "/health/ready", "/metrics"),
    ):
        assert path in commands


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_every_curl_line_answers_as_documented(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / ".curlrc").write_text('write-out = "%{stderr}%{http_code}"\n')
    with demo(tmp_path / "demo", gemini_delay_s=0.2) as process:
        facts = process.start()
        base = f"{facts['url']}/api/v1/web-knowledge"
        shell = Shell(facts["url"], {"BASE": base, "KEY": facts["api_key"], "CURL_HOME": str(home)})
        printed: dict[str, str] = {}
        for line in endpoint_lines():
            exit_code, status, printed[line.command] = shell.run(line)
            assert (exit_code, status) == (0, line.status), line.command
            if status == 202:
                shell.variables["TASK"] = json.loads(printed[line.command])["task_id"]
    events = next(text for command, text in printed.items() if "/events/" in command)
    assert events.startswith("retry: 2000\n\n")
    assert events.endswith("event: end\ndata: {}\n\n")
    assert all(printed.values())
