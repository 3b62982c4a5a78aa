"""The listings of the contract's document as they stand there, with the glue that a user of them would add.

The document is seed/seed-readable.md in ../shared, or in the folder PROMPT_CORPUS; where it is absent these tests skip.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENT = Path(os.environ.get("PROMPT_CORPUS", ROOT.parent / "shared")) / "seed" / "seed-readable.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>seed</title></head>
<body><div id="root"></div><script type="module" src="./{name}.jsx"></script></body></html>"""
MOUNT = """
import {{ createRoot }} from 'react-dom/client';
{imports}
import PromptGenerator from './{component}.jsx';
createRoot(document.getElementById('root')).render(<PromptGenerator />);
"""
# What the listing leaves to its reader: the four functions it calls.
PLAIN_GLUE = """
console.error = console.log; // what the listing reports itself is no complaint of the browser
window.told = {bars: [], messages: [], prompts: [], errors: []};
const updateProgressBar = (percent) => told.bars.push(percent);
const updateStatusMessage = (message) => told.messages.push(message);
const displayGeneratedPrompt = (prompt) => told.prompts.push(prompt);
const showErrorMessage = (error) => told.errors.push(error);
"""
HANDLERS = """
  const handlePurchaseTokens = () => { window.pressed = 'purchase'; };
  const handleUpgradeSubscription = () => { window.pressed = 'upgrade'; };
  const handleRetry = () => handleGenerate();
"""


def listing(language: str, word: str) -> str:
    """Return the one listing in a language that has the word in it."""
    if not DOCUMENT.exists():
        pytest.skip(f"the contract's document is not at {DOCUMENT}")
    blocks = [code for name, code in BLOCK.findall(DOCUMENT.read_text("utf-8")) if name == language and word in code]
    assert len(blocks) == 1, f"{len(blocks)} listings in {language} with {word}"
    return str(blocks[0])


def pasted(code: str, place: str, more: str) -> str:
    """Paste ``more`` before the one place that begins so."""
    assert code.count(place) == 1, place
    return code.replace(place, more + place)


def react_files() -> dict[str, str]:
    """The React component with the document's CSS; and again with its error panel, and with its React Native part."""
    component = listing("jsx", "function PromptGenerator")
    panel = listing("jsx", "error-alert")
    simple_error = re.search(r"\{error && \(.*?\n      \)\}\n", component, re.DOTALL)
    assert simple_error
    mobile = listing("javascript", "AppState").replace("// React Native example", "")
    parts = {
        "seed-react": component,
        "seed-panel": pasted(component.replace(simple_error[0], panel), "  // Poll for status", HANDLERS),
        "seed-mobile": "import { AppState } from 'react-native';\n"
        + pasted(component, "  return (\n    <div className", mobile),
    }
    files = {"seed.css": listing("css", ".progress-fill")}
    for name, code in parts.items():
        files[f"{name}-component.jsx"] = code
        files[f"{name}.jsx"] = MOUNT.format(component=f"{name}-component", imports="import './seed.css';")
        files[f"{name}.html"] = PAGE.format(name=name)
    return files


def plain_script(api: str, token: str, manual_prompt: str) -> str:
    """The class and its usage example, with the address, the token and the prompt of its user."""
    code = listing("javascript", "class PromptGeneratorAPI")
    for theirs, ours in (
        ("http://localhost:8000/api/v1/web-knowledge", api),
        ("your-auth-token", token),
        ("My manual prompt text...", manual_prompt),
    ):
        assert code.count(f"'{theirs}'") == 1
        code = code.replace(f"'{theirs}'", repr(ours))
    return PLAIN_GLUE + code
