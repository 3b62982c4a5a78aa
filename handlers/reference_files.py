"""The files of the API reference: Swagger UI's, our page around it, and docs/openapi.yaml as programs want it.

Refuses to know how they are sent. Swagger UI comes out of the package drf-spectacular-sidecar, which is never imported:
importing it needs Django, and its files do not.
"""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import Mapping
from importlib.metadata import distribution
from pathlib import Path
from types import MappingProxyType

import yaml

from handlers.page_files import CONTENT_TYPES, WEB, File, compressed, file_of

OPENAPI = WEB.parent / "docs" / "openapi.yaml"
OURS = WEB / "reference"
SWAGGER_UI = "drf_spectacular_sidecar/static/drf_spectacular_sidecar/swagger-ui-dist"
SWAGGER_UI_FILES = ("swagger-ui.css", "swagger-ui-bundle.js")
EXAMPLE_SERVER = "http://127.0.0.1:8000"  # the server in docs/openapi.yaml when it is read as a file
ROOT_PLACE = "{root}"  # the path from the page that is shown to the server's root
PREFIX_PLACE = "{prefix}"


class Reference:
    """Every file of the reference, read when it is constructed."""

    def __init__(self) -> None:
        shipped = Path(str(distribution("drf-spectacular-sidecar").locate_file(SWAGGER_UI)))
        paths = [*(shipped / name for name in SWAGGER_UI_FILES), OURS / "start.js", OURS / "layout.css"]
        self.files: Mapping[str, File] = MappingProxyType(
            {path.name: compressed(file_of(CONTENT_TYPES[path.suffix], path.read_bytes())) for path in paths}
        )
        self._page = (OURS / "index.html").read_text("utf-8")
        self._openapi = OPENAPI.read_text("utf-8")
        self._llms = (OURS / "llms.txt").read_text("utf-8")

    def page(self, root: str) -> File:
        """Return the page; ``root`` leads from its address to the server's root, like ``../``."""
        return _text("text/html", self._page.replace(ROOT_PLACE, root))

    def openapi_yaml(self, prefix: str) -> File:
        """Return the description with this server as its server; ``prefix`` is '' or like ``/prompts``."""
        return _text("application/yaml", self._openapi.replace(EXAMPLE_SERVER, prefix or "/"))

    async def openapi_json(self, prefix: str) -> File:
        """Return what ``openapi_yaml`` does, as JSON. The first time a thread converts it: that takes 0.1 s."""
        text = await asyncio.to_thread(_as_json, self._openapi)
        return _text("application/json", text.replace(EXAMPLE_SERVER, prefix or "/"))

    def llms(self, prefix: str) -> File:
        """Return the introduction for language models that write clients."""
        return _text("text/plain", self._llms.replace(PREFIX_PLACE, prefix))


@functools.cache
def _as_json(text: str) -> str:
    return json.dumps(yaml.safe_load(text), ensure_ascii=False, separators=(",", ":"))


def _text(content_type: str, text: str) -> File:
    return file_of(f"{content_type}; charset=UTF-8", text.encode("utf-8"))
