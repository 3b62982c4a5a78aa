"""The files of the API reference: Swagger UI's, our page around it, and the two descriptions as programs want them.

Refuses to know how they are sent. Swagger UI comes out of the package drf-spectacular-sidecar, which is never imported:
importing it needs Django, and its files do not.
"""

from __future__ import annotations

import asyncio
import functools
import json
import re
from collections.abc import Mapping
from importlib.metadata import distribution
from pathlib import Path
from types import MappingProxyType

import yaml

from handlers.page_files import CONTENT_TYPES, WEB, File, compressed, file_of

DOCS = WEB.parent / "docs"
PAGES = {"openapi": "docs/", "openapi-admin": "docs/admin/"}  # description → its page, from the server's root
OURS = WEB / "reference"
SWAGGER_UI = "drf_spectacular_sidecar/static/drf_spectacular_sidecar/swagger-ui-dist"
SWAGGER_UI_FILES = ("swagger-ui.css", "swagger-ui-bundle.js")
EXAMPLE_SERVER = "http://127.0.0.1:8000"  # the server in a description when it is read as a file
ROOT_PLACE = "{root}"  # the path from the page that is shown to the server's root
DESCRIPTION_PLACE = "{description}"
PREFIX_PLACE = "{prefix}"
NOT_PRINTED_BY_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")  # Source: YAML 1.2.2, 5.1 and 5.4


class Reference:
    """Every file of the reference, read when it is constructed."""

    def __init__(self) -> None:
        shipped = Path(str(distribution("drf-spectacular-sidecar").locate_file(SWAGGER_UI)))
        paths = [*(shipped / name for name in SWAGGER_UI_FILES), OURS / "start.js", OURS / "layout.css"]
        self.files: Mapping[str, File] = MappingProxyType(
            {path.name: compressed(file_of(CONTENT_TYPES[path.suffix], path.read_bytes())) for path in paths}
        )
        self._page = (OURS / "index.html").read_text("utf-8")
        self._described = {name: (DOCS / f"{name}.yaml").read_text("utf-8") for name in PAGES}
        self._llms = (OURS / "llms.txt").read_text("utf-8")

    def page(self, root: str, name: str) -> File:
        """Return the page of a description; ``root`` leads from its address to the server's root, like ``../``."""
        text = self._page.replace(f'href="{{root}}{PAGES[name]}"', f'href="{{root}}{PAGES[name]}" aria-current="page"')
        return _text("text/html", text.replace(DESCRIPTION_PLACE, name).replace(ROOT_PLACE, root))

    def openapi_yaml(self, name: str, prefix: str) -> File:
        """Return a description with this server as its server; ``prefix`` is '' or like ``/prompts``."""
        return _text("application/yaml", self._described[name].replace(EXAMPLE_SERVER, prefix or "/"))

    async def openapi_json(self, name: str, prefix: str) -> File:
        """Return what ``openapi_yaml`` does, as JSON. The first time a thread converts it: that takes 0.1 s."""
        text = await asyncio.to_thread(_as_json, self._described[name])
        return _text("application/json", text.replace(EXAMPLE_SERVER, prefix or "/"))

    def llms(self, prefix: str) -> File:
        """Return the introduction for language models that write clients."""
        return _text("text/plain", self._llms.replace(PREFIX_PLACE, prefix))


@functools.cache
def _as_json(text: str) -> str:
    """Convert it so that tools which read JSON as YAML can: YAML wants some characters escaped, and no surrogates."""
    written = json.dumps(yaml.safe_load(text), ensure_ascii=False, separators=(",", ":"))
    return NOT_PRINTED_BY_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", written)


def _text(content_type: str, text: str) -> File:
    return file_of(f"{content_type}; charset=UTF-8", text.encode("utf-8"))
