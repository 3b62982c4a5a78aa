"""The stand-in's models, tokens, and ``/standin/`` for tests. Refuses to know how an answer is generated."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from tornado.web import RequestHandler

from standin.behaviour import Behaviour, InvalidBehaviour
from standin.faults import ERRORS
from standin.state import Standin

# Any other name that could be a model's is taken too: names come and go.
MODELS = ("gemini-flash-latest", "gemini-standin-1.0", "gemini-3.8-flash", "gemini-3.6-flash")


class StandinHandler(RequestHandler):
    def initialize(self, standin: Standin) -> None:
        self.standin = standin

    def write_json(self, value: Any, status: int = 200) -> None:
        self.set_status(status)
        self.set_header("Content-Type", "application/json; charset=UTF-8")
        self.write(json.dumps(value, ensure_ascii=False))


class ModelsHandler(StandinHandler):
    """GET /{version}/models and /{version}/models/{model}"""

    def get(self, model: str = "") -> None:
        known = {name: self._describe(name) for name in MODELS}
        if not model:
            self.write_json({"models": list(known.values())})
        elif model in known:
            self.write_json(known[model])
        else:
            error = ERRORS["not_found"]
            self.write_json(error.body(0), error.http_status)

    def _describe(self, name: str) -> dict[str, Any]:
        return {
            "name": f"models/{name}",
            "version": "1.0",
            "displayName": "Stand-in for Gemini",
            "inputTokenLimit": 1_048_576,
            "outputTokenLimit": 65_536,
            "supportedGenerationMethods": ["generateContent", "streamGenerateContent", "countTokens"],
        }


class TokenHandler(StandinHandler):
    """Google's two ways to a token: its OAuth server (POST /token), and the metadata server of a machine of its own.

    Source: google-auth, compute_engine._metadata and oauth2._client.
    """

    def prepare(self) -> None:
        self.set_header("Metadata-Flavor", "Google")
        self.standin.counters.token_requests += 1

    def get(self) -> None:
        path = self.request.path
        if self.request.headers.get("Metadata-Flavor") != "Google":
            self.write_json({}, 403)
        elif path.endswith("/token"):
            self._give_token()
        elif path.endswith("project-id"):
            self.finish("standin-project")
        else:
            scopes = ["https://www.googleapis.com/auth/cloud-platform"]
            self.write_json({"aliases": ["default"], "email": "standin@standin.example", "scopes": scopes})

    def post(self) -> None:
        self._give_token()

    def _give_token(self) -> None:
        lasts_s, token = self.standin.token_lasts_s, self.standin.issue_token()
        self.write_json({"access_token": token, "expires_in": lasts_s, "token_type": "Bearer"})


class ControlHandler(StandinHandler):
    """/standin/: GET counters and behaviour, POST another behaviour (JSON, ``{}`` is a good one), DELETE the counts."""

    def get(self) -> None:
        self.write_json(self.standin.counters.as_json() | {"behaviour": asdict(self.standin.chooser.behaviour)})

    def post(self) -> None:
        try:
            changes = json.loads(self.request.body)
            if not isinstance(changes, dict):
                raise InvalidBehaviour("expected a JSON object")
            self.standin.behave(Behaviour().changed(changes))
        except ValueError as exc:
            self.write_json({"error": str(exc)}, 400)
        else:
            self.get()

    def delete(self) -> None:
        self.standin.counters.reset()
        self.get()
