"""Every setting, its type and its default; config.yaml is the same tree for people to read.

Refuses to know where values come from (``runtime/configuration.py``) and where they are used: each room gets its own
part. Secrets are ``SecretStr``, and no error shows what was given.
"""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import NoDecode

from runtime.redis_url import parse_redis_url
from runtime.setting_types import (
    AtLeastOne,
    BaseUrl,
    Count,
    HeaderName,
    ModelName,
    Network,
    Origin,
    Positive,
    VapidKey,
    WebhookEvent,
    WebhookSecret,
    WebhookUrl,
    by_commas,
    is_loopback,
)

GEMINI_URL = "https://generativelanguage.googleapis.com"


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, hide_input_in_errors=True)

    @field_validator("*", mode="before")
    @classmethod
    def _truth_is_no_number(cls, value: object, field: ValidationInfo) -> object:
        """YAML reads yes and on as true, which pydantic would take for 1."""
        if isinstance(value, bool) and cls.model_fields[field.field_name or ""].annotation in (int, float):
            raise ValueError("expected a number; yes, no, on and off are none")
        return value


class ServerSettings(Section):
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    unix_socket: str = ""
    trust_proxy_headers: bool = False
    cors_allowed_origins: Annotated[tuple[Origin, ...], NoDecode, BeforeValidator(by_commas)] = ()
    cors_allowed_headers: Annotated[tuple[HeaderName, ...], NoDecode, BeforeValidator(by_commas)] = ()
    path_prefix: Annotated[str, Field(pattern=r"^((/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+)?$")] = ""
    header_timeout_s: Positive = 10.0
    body_timeout_s: Positive = 10.0
    idle_timeout_s: Positive = 75.0
    connections: AtLeastOne = 20_000
    drain_timeout_s: Positive = 20.0
    express_lane: bool = True
    memo_entries: AtLeastOne = 20_000
    refusals_in_a_row: Count = 50


class RedisSettings(Section):
    url: SecretStr = SecretStr("")
    key_prefix: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,32}$")] = "pg"
    timeout_s: Positive = 2.0
    start_timeout_s: Positive = 30.0
    copy_entries: AtLeastOne = 50_000
    copy_bytes: AtLeastOne = 134_217_728

    @model_validator(mode="after")
    def _url_is_one_of_redis(self) -> RedisSettings:
        if url := self.url.get_secret_value():
            parse_redis_url(url)
        return self


class LimitSettings(Section):
    manual_prompt_characters: AtLeastOne = 20_000
    unfinished_tasks_per_account: AtLeastOne = 5
    running_tasks_per_process: AtLeastOne = 1_000
    waiting_tasks_per_process: Count = 10_000
    submits_per_second_per_account: Annotated[float, Field(ge=0, le=1000)] = 10.0
    submits_burst_per_account: AtLeastOne = 50
    polls_per_second_per_account: Annotated[float, Field(ge=0)] = 50.0
    streams_per_account: Count = 20


class TaskSettings(Section):
    deadline_s: Positive = 120.0
    status_ttl_s: AtLeastOne = 600
    lease_s: Positive = 15.0
    renew_every_s: Positive = 3.0
    reap_every_s: Positive = 5.0
    attempts: AtLeastOne = 3
    idempotency_key_ttl_s: AtLeastOne = 86_400

    @model_validator(mode="after")
    def _lease_outlives_a_renewal(self) -> TaskSettings:
        if self.lease_s < 2 * self.renew_every_s:
            raise ValueError("lease_s must be at least twice renew_every_s, or one late renewal loses live work")
        if self.status_ttl_s < self.deadline_s:
            raise ValueError("status_ttl_s must not be below deadline_s, or a document ends before its task")
        return self


class MoneySettings(Section):
    minimum_tokens: AtLeastOne = 700
    hold_tokens: AtLeastOne = 700
    ledger_days: Count = 0

    @model_validator(mode="after")
    def _hold_is_covered(self) -> MoneySettings:
        if self.hold_tokens > self.minimum_tokens:
            raise ValueError("hold_tokens must not exceed minimum_tokens, or a hold could make a balance negative")
        return self


class GeminiSettings(Section):
    backend: Literal["gemini", "vertex"] = "gemini"
    base_url: BaseUrl = GEMINI_URL
    api_key: SecretStr = SecretStr("")
    api_version: Literal["v1beta", "v1"] = "v1beta"
    project: Annotated[str, Field(pattern=r"^[a-z0-9:.-]*$")] = ""
    location: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")] = "global"
    models: Annotated[tuple[ModelName, ...], NoDecode, BeforeValidator(by_commas), Field(min_length=1)] = (
        "gemini-3.8-flash",
        "gemini-3.6-flash",
    )
    model: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]*$")] = ""
    model_aside_s: Positive = 300.0
    store: bool = False
    service_tier: Literal["", "standard", "priority", "flex"] = ""
    proxy: Literal["environment", "none"] = "environment"
    stream: bool = True
    max_output_tokens: Annotated[int, Field(ge=1, le=65_536)] = 65_536
    thinking_level: Literal["", "minimal", "low", "medium", "high"] = "low"
    safety_threshold: Literal[
        "", "BLOCK_NONE", "BLOCK_ONLY_HIGH", "BLOCK_MEDIUM_AND_ABOVE", "BLOCK_LOW_AND_ABOVE", "OFF"
    ] = "BLOCK_ONLY_HIGH"
    deadline_s: Positive = 60.0
    connect_timeout_s: Positive = 5.0
    silence_timeout_s: Positive = 50.0
    tries: AtLeastOne = 3
    retry_base_s: Positive = 0.5
    retry_max_s: Positive = 8.0
    connections: AtLeastOne = 1_000
    answer_bytes: AtLeastOne = 2_097_152
    breaker_failures: AtLeastOne = 5
    breaker_open_s: Positive = 30.0

    @property
    def asked_models(self) -> tuple[str, ...]:
        return (self.model,) if self.model else self.models

    @model_validator(mode="after")
    def _what_is_asked_for_exists(self) -> GeminiSettings:
        if self.service_tier and self.backend == "gemini" and self.api_version == "v1":
            raise ValueError("service_tier needs api_version v1beta")
        if self.backend == "vertex" and not (self.project or self.api_key.get_secret_value()):
            raise ValueError("backend vertex needs a project, or an api_key for express mode")
        if self.backend == "vertex" and not self.project and self.location != "global":
            raise ValueError("an express key of backend vertex has no location but global")
        if self.backend == "vertex" and self.store:
            raise ValueError("store is for backend gemini alone, not for vertex")
        if self.backend == "vertex" and self.service_tier in ("priority", "flex") and self.location != "global":
            raise ValueError(f"service_tier {self.service_tier} needs location global on backend vertex")
        return self


class JwtSettings(Section):
    algorithm: Literal["", "HS256", "RS256", "ES256", "EdDSA"] = ""
    secret: SecretStr = SecretStr("")
    public_key_file: str = ""
    jwks_url: Annotated[str, Field(pattern=r"^(https?://.*)?$")] = ""
    jwks_ttl_s: Positive = 300.0
    issuer: str = ""
    audience: str = ""
    leeway_s: Annotated[float, Field(ge=0, le=300)] = 3.0
    longest_lifetime_s: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    account_claim: Annotated[str, Field(min_length=1)] = "sub"
    required_claims: dict[str, str | int | bool] = {}

    @model_validator(mode="after")
    def _there_is_one_key_to_check_with(self) -> JwtSettings:
        if self.algorithm == "HS256":
            # Source: RFC 7518, 3.2: a key of the same size as the hash output, or larger, must be used.
            if len(self.secret.get_secret_value().encode()) < 32:
                raise ValueError("HS256 needs a secret of at least 32 bytes")
        elif self.algorithm and bool(self.public_key_file) == bool(self.jwks_url):
            raise ValueError(f"{self.algorithm} needs either public_key_file or jwks_url")
        # An attacker who can change the answer on its way can forge tokens for every account.
        if self.jwks_url.startswith("http://") and not is_loopback(urlsplit(self.jwks_url).hostname or ""):
            raise ValueError("jwks_url must begin with https://; plain http is for this machine's own addresses")
        return self


class NewAccountSettings(Section):
    create_on_first_use: bool = False
    tokens: Annotated[int, Field(ge=0, le=10**15)] = 0
    subscription_days: Count = 0
    business_type: str = "general"


class IdentitySettings(Section):
    jwt: JwtSettings = JwtSettings()
    new_accounts: NewAccountSettings = NewAccountSettings()
    remembered_tokens: AtLeastOne = 20_000
    key_recheck_s: Annotated[float, Field(gt=0, le=60)] = 3.0


class AdminSettings(Section):
    networks: Annotated[tuple[Network, ...], NoDecode, BeforeValidator(by_commas)] = ()


class WebhookSettings(Section):
    url: WebhookUrl = ""
    secrets: Annotated[tuple[WebhookSecret, ...], NoDecode, BeforeValidator(by_commas), Field(max_length=2)] = ()
    events: Annotated[tuple[WebhookEvent, ...], NoDecode, BeforeValidator(by_commas)] = (
        "task.completed",
        "task.failed",
        "account.low_balance",
    )
    low_balance_tokens: Count = 0
    include_prompt: bool = False
    connections: Annotated[int, Field(ge=1, le=1_000)] = 10

    @model_validator(mode="after")
    def _is_signed(self) -> WebhookSettings:
        if self.url and not self.secrets:
            raise ValueError("webhooks.url needs one of webhooks.secrets: `main.py webhooks secret` makes one")
        return self


class WebPushSettings(Section):
    private_key: VapidKey = SecretStr("")
    subject: Annotated[str, Field(pattern=r"^((mailto:.+@|https://).+)?$")] = ""
    connections: Annotated[int, Field(ge=1, le=1_000)] = 10
    unseen_s: Annotated[float, Field(ge=0, le=60)] = 5.0
    allow_loopback: bool = False

    @model_validator(mode="after")
    def _says_who_sends(self) -> WebPushSettings:
        if self.private_key.get_secret_value() and not self.subject:
            raise ValueError("web_push.private_key needs web_push.subject: push services turn to that address")
        return self


class PromptSettings(Section):
    templates_folder: str = ""


class LogSettings(Section):
    format: Literal["auto", "json", "console"] = "auto"
    level: Literal["debug", "info", "warning", "error"] = "info"
    debug_accounts: Annotated[tuple[str, ...], NoDecode, BeforeValidator(by_commas), Field(max_length=20)] = ()
    debug_share: Annotated[float, Field(ge=0, le=1)] = 0.0
    debug_lines_per_second: Annotated[int, Field(ge=1, le=10_000)] = 100


class TraceSettings(Section):
    endpoint: Annotated[str, Field(pattern=r"^(https?://.+)?$")] = ""
    texts: bool = False


class Settings(Section):
    """The whole tree; ``configuration.load_settings`` makes one."""

    server: ServerSettings = ServerSettings()
    redis: RedisSettings = RedisSettings()
    limits: LimitSettings = LimitSettings()
    tasks: TaskSettings = TaskSettings()
    money: MoneySettings = MoneySettings()
    gemini: GeminiSettings = GeminiSettings()
    identity: IdentitySettings = IdentitySettings()
    admin: AdminSettings = AdminSettings()
    webhooks: WebhookSettings = WebhookSettings()
    web_push: WebPushSettings = WebPushSettings()
    prompt: PromptSettings = PromptSettings()
    logs: LogSettings = LogSettings()
    traces: TraceSettings = TraceSettings()

    @model_validator(mode="after")
    def _gemini_ends_before_the_task(self) -> Settings:
        if self.gemini.deadline_s >= self.tasks.deadline_s:
            raise ValueError("gemini.deadline_s must be below tasks.deadline_s, so that the fallback still has time")
        return self
