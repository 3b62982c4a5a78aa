"""The API reference at /docs/, that of the admin API beside it, and the descriptions that they and programs read."""

from __future__ import annotations

from tornado.web import HTTPError

from handlers.page import SECURITY_HEADERS, FileHandler
from handlers.paths import client_prefix
from handlers.reference_files import PAGES

# Swagger UI sets style attributes and shows its icons from data: URLs. Scripts come from this server alone.
REFERENCE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; img-src 'self' data:"
    "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class ReferencePage(FileHandler):
    """GET /docs/: Swagger UI with the description of this server."""

    described = "openapi"

    def set_default_headers(self) -> None:
        super().set_default_headers()
        for name, value in (SECURITY_HEADERS | {"Content-Security-Policy": REFERENCE_POLICY}).items():
            self.set_header(name, value)

    async def get(self, *_path: str) -> None:
        below = PAGES[self.described].count("/") - (not self.request.path.endswith("/"))
        self.write_file(self.services.reference.page("../" * below or "./", self.described), cache_control="no-cache")


class AdminReferencePage(ReferencePage):
    """GET /docs/admin/: the same with the description of the admin API."""

    described = "openapi-admin"


class ReferenceFile(FileHandler):
    """GET /docs/…: one of the reference's files."""

    async def get(self, *path: str) -> None:
        file = self.services.reference.files.get("".join(path))
        if file is None:
            raise HTTPError(404)
        self.write_file(file, cache_control="no-cache")


class _Described(FileHandler):
    """This server's URL as its clients see it."""

    def prefix(self) -> str:
        services = self.services
        return client_prefix(self.request, services.path_prefix, trust_proxy=services.trust_proxy)


class OpenApiYaml(_Described):
    """GET /openapi.yaml and /openapi-admin.yaml."""

    async def get(self, *path: str) -> None:
        [name] = path
        self.write_file(self.services.reference.openapi_yaml(name, self.prefix()), cache_control="no-cache")


class OpenApiJson(_Described):
    """GET /openapi.json and /openapi-admin.json."""

    async def get(self, *path: str) -> None:
        [name] = path
        self.write_file(await self.services.reference.openapi_json(name, self.prefix()), cache_control="no-cache")


class LlmsTxt(_Described):
    """GET /llms.txt."""

    async def get(self, *_path: str) -> None:
        self.write_file(self.services.reference.llms(self.prefix()), cache_control="no-cache")
