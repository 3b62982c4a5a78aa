"""Every setting, its type and its default; config.yaml is the same tree for people to read.

Order: environment (``PROMPT_SERVER__PORT``), then ``.env``, then the YAML file, then the defaults here.
Refuses to know who uses a setting: main hands each room its own part.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    YamlConfigSettingsSource,
)

ENVIRONMENT_PREFIX = "PROMPT_"
DEFAULT_CONFIG = Path(__file__).parent.parent / "config.yaml"

Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=0)]
AtLeastOne = Annotated[int, Field(ge=1)]


class InvalidSettings(Exception):
    """The settings cannot be used; ``problems`` has one line per wrong path."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class ServerSettings(Section):
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    unix_socket: str = ""
    trust_proxy_headers: bool = False
    cors_allowed_origins: tuple[str, ...] = ()
    body_bytes: AtLeastOne = 65_536
    header_timeout_s: Positive = 10.0
    body_timeout_s: Positive = 10.0
    idle_timeout_s: Positive = 75.0
    connections: AtLeastOne = 20_000
    drain_timeout_s: Positive = 20.0
    express_lane: bool = True
    memo_entries: AtLeastOne = 20_000


class RedisSettings(Section):
    url: SecretStr = SecretStr("")
    key_prefix: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,32}$")] = "pg"
    timeout_s: Positive = 2.0
    connections: AtLeastOne = 64
    start_timeout_s: Positive = 30.0
    copy_entries: AtLeastOne = 50_000


class LimitSettings(Section):
    manual_prompt_characters: AtLeastOne = 20_000
    unfinished_tasks_per_account: AtLeastOne = 5
    running_tasks_per_process: AtLeastOne = 1_000
    waiting_tasks_per_process: Count = 10_000
    polls_per_second_per_account: Annotated[float, Field(ge=0)] = 50.0


class TaskSettings(Section):
    deadline_s: Positive = 120.0
    status_ttl_s: AtLeastOne = 600
    lease_s: Positive = 15.0
    renew_every_s: Positive = 5.0
    reap_every_s: Positive = 5.0
    attempts: AtLeastOne = 3
    idempotency_key_ttl_s: AtLeastOne = 86_400

    @model_validator(mode="after")
    def _lease_outlives_a_renewal(self) -> TaskSettings:
        if self.lease_s < 2 * self.renew_every_s:
            raise ValueError("lease_s must be at least twice renew_every_s, or one late renewal loses live work")
        return self


class MoneySettings(Section):
    minimum_tokens: AtLeastOne = 700
    hold_tokens: AtLeastOne = 700

    @model_validator(mode="after")
    def _hold_is_covered(self) -> MoneySettings:
        if self.hold_tokens > self.minimum_tokens:
            raise ValueError("hold_tokens must not exceed minimum_tokens, or a hold could make a balance negative")
        return self


class GeminiSettings(Section):
    base_url: Annotated[str, Field(pattern=r"^https?://")] = "https://generativelanguage.googleapis.com"
    api_key: SecretStr = SecretStr("")
    api_version: Literal["v1beta", "v1"] = "v1beta"
    model: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$")] = "gemini-flash-latest"
    stream: bool = True
    max_output_tokens: AtLeastOne = 8_192
    thinking_level: Literal["", "minimal", "low", "medium", "high"] = ""
    safety_threshold: Literal[
        "", "BLOCK_NONE", "BLOCK_ONLY_HIGH", "BLOCK_MEDIUM_AND_ABOVE", "BLOCK_LOW_AND_ABOVE", "OFF"
    ] = "BLOCK_ONLY_HIGH"
    deadline_s: Positive = 60.0
    connect_timeout_s: Positive = 5.0
    silence_timeout_s: Positive = 30.0
    tries: AtLeastOne = 3
    retry_base_s: Positive = 0.5
    retry_max_s: Positive = 8.0
    connections: AtLeastOne = 200
    answer_bytes: AtLeastOne = 2_097_152
    breaker_failures: AtLeastOne = 5
    breaker_open_s: Positive = 30.0


class JwtSettings(Section):
    algorithm: Literal["", "HS256", "RS256", "ES256", "EdDSA"] = ""
    secret: SecretStr = SecretStr("")
    public_key_file: str = ""
    jwks_url: Annotated[str, Field(pattern=r"^(https?://.*)?$")] = ""
    jwks_ttl_s: Positive = 300.0
    issuer: str = ""
    audience: str = ""
    leeway_s: Annotated[float, Field(ge=0, le=300)] = 30.0
    account_claim: str = "sub"


class NewAccountSettings(Section):
    create_on_first_use: bool = False
    tokens: Count = 0
    subscription_days: Count = 0
    business_type: str = "general"


class IdentitySettings(Section):
    jwt: JwtSettings = JwtSettings()
    new_accounts: NewAccountSettings = NewAccountSettings()
    remembered_tokens: AtLeastOne = 20_000
    key_recheck_s: Annotated[float, Field(gt=0, le=5)] = 3.0


class PromptSettings(Section):
    templates_folder: str = ""


class LogSettings(Section):
    format: Literal["auto", "json", "console"] = "auto"
    level: Literal["debug", "info", "warning", "error"] = "info"


class BareGeminiKey(PydanticBaseSettingsSource):
    """``GEMINI_API_KEY`` without our prefix, as Google's own tools read it; the prefixed name wins."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        key = os.environ.get("GEMINI_API_KEY") or dotenv_values(".env").get("GEMINI_API_KEY")
        return {"gemini": {"api_key": key}} if key else {}


class Settings(BaseSettings):
    """The whole tree; ``load_settings`` makes one."""

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        validate_default=True,
    )

    server: ServerSettings = ServerSettings()
    redis: RedisSettings = RedisSettings()
    limits: LimitSettings = LimitSettings()
    tasks: TaskSettings = TaskSettings()
    money: MoneySettings = MoneySettings()
    gemini: GeminiSettings = GeminiSettings()
    identity: IdentitySettings = IdentitySettings()
    prompt: PromptSettings = PromptSettings()
    logs: LogSettings = LogSettings()

    @model_validator(mode="after")
    def _gemini_ends_before_the_task(self) -> Settings:
        if self.gemini.deadline_s >= self.tasks.deadline_s:
            raise ValueError("gemini.deadline_s must be below tasks.deadline_s, so that the fallback still has time")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # The .env file of a web app holds other programs' names too; only ours are looked at.
        ours = DotEnvSettingsSource(settings_cls, env_file=".env")
        ours.env_vars = {name: text for name, text in ours.env_vars.items() if name.startswith(ENVIRONMENT_PREFIX.lower())}
        return init_settings, env_settings, ours, BareGeminiKey(settings_cls), YamlConfigSettingsSource(settings_cls)


def load_settings(config: Path | None = None, overrides: Mapping[str, Any] | None = None) -> Settings:
    """Read all sources and return the checked tree; ``overrides`` (nested, like the tree) win over everything.

    Raises:
        InvalidSettings: unreadable file, unknown name or wrong value, each with its path.
    """
    path = config or DEFAULT_CONFIG

    class FromFile(Settings):
        model_config = SettingsConfigDict(yaml_file=path)

    _refuse_unreadable(path)
    _refuse_unknown_variables()
    try:
        return FromFile(**dict(overrides or {}))
    except ValidationError as exc:
        raise InvalidSettings([_problem(error) for error in exc.errors(include_url=False)]) from exc
    except SettingsError as exc:
        raise InvalidSettings([str(exc)]) from exc


def _refuse_unreadable(path: Path) -> None:
    try:
        tree = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as exc:
        raise InvalidSettings([f"{path}: cannot be read as YAML: {exc}"]) from exc
    if tree is not None and not isinstance(tree, dict):
        raise InvalidSettings([f"{path}: expected a mapping of settings"])


def _refuse_unknown_variables() -> None:
    """pydantic-settings passes over variables whose first part it does not know; a typing error must not be."""
    known = tuple(f"{ENVIRONMENT_PREFIX}{section}".upper() for section in Settings.model_fields)
    wrong = [
        f"{name}: unknown setting; config.yaml lists every one"
        for name in sorted({**dotenv_values(".env"), **os.environ})
        if name.startswith(ENVIRONMENT_PREFIX) and not name.split("__")[0].upper() in known
    ]
    if wrong:
        raise InvalidSettings(wrong)


def _problem(error: ErrorDetails) -> str:
    path = ".".join(str(part) for part in error["loc"]) or "settings"
    if error["type"] == "extra_forbidden":
        return f"{path}: unknown setting; config.yaml lists every one"
    return f"{path}: {error['msg']}"
