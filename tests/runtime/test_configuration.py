"""Settings come from four places, wrong ones stop the start, and secrets show nowhere."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel, SecretStr

from runtime.configuration import DEFAULT_CONFIG, InvalidSettings, doubtful_variables, load_settings, shown
from runtime.settings import Settings

MARKER = "MARKER-the-secret-itself"


@pytest.fixture(autouse=True)
def nothing_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the machine's environment nor a developer's .env reaches these tests."""
    for name in os.environ:
        if name.upper().startswith("PROMPT_") or name == "GEMINI_API_KEY":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def problems_of(config: Path | None = None, overrides: dict[str, Any] | None = None) -> list[str]:
    with pytest.raises(InvalidSettings) as caught:
        load_settings(config, overrides)
    assert MARKER not in str(caught.value)
    return caught.value.problems


def leaves(section: type[BaseModel] = Settings, path: str = "") -> Iterator[tuple[str, Any]]:
    for name, field in section.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from leaves(field.annotation, f"{path}{name}.")
        else:
            yield f"{path}{name}", field.get_default()


# -- config.yaml


def test_the_file_has_every_setting_with_its_default() -> None:
    def flat(tree: dict[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
        for name, value in tree.items():
            if isinstance(value, dict) and value:
                yield from flat(value, f"{path}{name}.")
            else:
                yield f"{path}{name}", value

    def plain(value: Any) -> Any:
        if isinstance(value, SecretStr):
            return value.get_secret_value()
        return list(value) if isinstance(value, tuple) else value

    assert list(flat(yaml.safe_load(DEFAULT_CONFIG.read_text("utf-8")))) == [
        (path, plain(default)) for path, default in leaves()
    ]


def test_every_setting_in_the_file_has_a_comment_above_it() -> None:
    lines = DEFAULT_CONFIG.read_text("utf-8").splitlines()
    settings = [number for number, line in enumerate(lines) if ": " in line and not line.lstrip().startswith("#")]
    assert len(settings) == len(list(leaves()))
    for number in settings:
        comment = lines[number - 1].strip()
        assert comment.startswith("# "), lines[number]
        assert comment.endswith("."), lines[number]


@pytest.mark.parametrize("path", [path for path, _ in leaves() if path.endswith("_s")])
def test_times_say_their_unit(path: str) -> None:
    lines = DEFAULT_CONFIG.read_text("utf-8").splitlines()
    name = path.rsplit(".", maxsplit=1)[-1]
    comments = [lines[number - 1] for number, line in enumerate(lines) if line.strip().startswith(f"{name}:")]
    assert comments
    assert all("# Seconds" in comment for comment in comments)


# -- Sources


def test_without_any_source_the_defaults_hold() -> None:
    assert load_settings().model_dump() == Settings().model_dump()


def test_the_environment_wins_over_the_dotenv_file_and_that_over_yaml(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tmp_path / "my.yaml"
    config.write_text("server: {port: 1001, host: yaml.example, drain_timeout_s: 7}\n")
    Path(".env").write_text("PROMPT_SERVER__PORT=1002\nPROMPT_SERVER__HOST=dotenv.example\nOTHER_PROGRAM=x\n")
    monkeypatch.setenv("PROMPT_SERVER__PORT", "1003")
    server = load_settings(config).server
    assert (server.port, server.host, server.drain_timeout_s) == (1003, "dotenv.example", 7)


def test_what_the_caller_overrides_wins_over_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMPT_SERVER__PORT", "1003")
    settings = load_settings(overrides={"server": {"port": 0}})
    assert settings.server.port == 0


def test_deeper_sections_are_reached_with_further_underscores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMPT_IDENTITY__JWT__ALGORITHM", "HS256")
    monkeypatch.setenv("PROMPT_IDENTITY__JWT__SECRET", MARKER * 2)
    monkeypatch.setenv("PROMPT_LIMITS__POLLS_PER_SECOND_PER_ACCOUNT", "0")
    settings = load_settings()
    assert settings.identity.jwt.secret.get_secret_value() == MARKER * 2
    assert settings.limits.polls_per_second_per_account == 0


@pytest.mark.parametrize(
    "text",
    [
        "https://a.example,https://b.example:8443",
        "https://a.example , https://b.example:8443,",
        ' ["https://a.example", "https://b.example:8443"]',
    ],
)
def test_a_list_in_the_environment_takes_commas_or_is_json(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("PROMPT_SERVER__CORS_ALLOWED_ORIGINS", text)
    assert load_settings().server.cors_allowed_origins == ("https://a.example", "https://b.example:8443")


def test_a_list_in_the_file_is_a_list(tmp_path: Path) -> None:
    (tmp_path / "my.yaml").write_text("server:\n  cors_allowed_origins:\n    - https://a.example\n")
    assert load_settings(tmp_path / "my.yaml").server.cors_allowed_origins == ("https://a.example",)


@pytest.mark.parametrize(
    "text", ["server:\n  # port: 1\n", "identity:\n  jwt:\n", "identity:\n", "gemini: {}\n", "# nothing\n"]
)
def test_a_section_whose_settings_are_all_commented_out_has_its_defaults(tmp_path: Path, text: str) -> None:
    (tmp_path / "my.yaml").write_text(text)
    assert load_settings(tmp_path / "my.yaml") == load_settings()


@pytest.mark.parametrize("text", ["server: 8000\n", "server: [1]\n", "server: on\n", "server: ''\n"])
def test_what_stands_in_the_place_of_a_section_is_named_in_plain_words(tmp_path: Path, text: str) -> None:
    (tmp_path / "my.yaml").write_text(text)
    with pytest.raises(InvalidSettings) as caught:
        load_settings(tmp_path / "my.yaml")
    assert caught.value.problems == ["server: expected the settings of this section below it"]


@pytest.mark.parametrize("text", ["1: 2\n", "server: {1: 2}\n", "null: 1\n"])
def test_a_name_that_is_no_text_is_an_unknown_setting(tmp_path: Path, text: str) -> None:
    (tmp_path / "my.yaml").write_text(text)
    with pytest.raises(InvalidSettings, match="unknown setting"):
        load_settings(tmp_path / "my.yaml")


def test_geminis_key_is_read_by_its_bare_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "bare")
    assert load_settings().gemini.api_key.get_secret_value() == "bare"


def test_geminis_key_is_read_by_its_bare_name_from_the_dotenv_file() -> None:
    Path(".env").write_text("GEMINI_API_KEY=in-file\n")
    assert load_settings().gemini.api_key.get_secret_value() == "in-file"


def test_the_prefixed_key_wins_over_the_bare_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "bare")
    Path(".env").write_text("PROMPT_GEMINI__API_KEY=prefixed\n")
    assert load_settings().gemini.api_key.get_secret_value() == "prefixed"


@pytest.fixture
def credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "credentials"
    folder.mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    return folder


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list every folder")
def test_a_folder_of_credentials_that_cannot_be_listed_is_said_in_one_line(credentials: Path) -> None:
    credentials.chmod(0)
    with pytest.raises(InvalidSettings) as caught:
        load_settings()
    credentials.chmod(0o700)
    assert caught.value.problems == [f"{credentials}: cannot be listed: PermissionError"]


def test_a_credential_of_systemd_wins_over_the_dotenv_file_and_the_environment_over_both(
    credentials: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (credentials / "PROMPT_REDIS__URL").write_text("redis://credential:6379/0\n")
    (credentials / "GEMINI_API_KEY").write_text("from a credential\n")
    (credentials / "tls.key").write_bytes(b"\xff somebody else's")
    Path(".env").write_text("PROMPT_REDIS__URL=redis://dotenv:6379/0\n")
    settings = load_settings()
    assert settings.redis.url.get_secret_value() == "redis://credential:6379/0"
    assert settings.gemini.api_key.get_secret_value() == "from a credential"
    monkeypatch.setenv("PROMPT_REDIS__URL", "redis://environment:6379/0")
    assert load_settings().redis.url.get_secret_value() == "redis://environment:6379/0"


def test_a_credential_whose_name_is_no_setting_or_that_cannot_be_read_stops_the_start(credentials: Path) -> None:
    (credentials / "PROMPT_REDIS__URLS").write_text(MARKER)
    assert problems_of() == ["PROMPT_REDIS__URLS: unknown setting; did you mean PROMPT_REDIS__URL?"]
    (credentials / "PROMPT_REDIS__URLS").unlink()
    (credentials / "PROMPT_REDIS__URL").write_bytes(b"\xff" + MARKER.encode())
    [problem] = problems_of()
    assert problem.endswith("PROMPT_REDIS__URL: cannot be read: UnicodeDecodeError")


# -- What stops the start


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        (
            "PROMPT_SERVER__PORT",
            "99999",
            "server.port (from PROMPT_SERVER__PORT): Input should be less than or equal to 65535",
        ),
        ("PROMPT_SERVER__PORT", "", "server.port (from PROMPT_SERVER__PORT): Input should be a valid integer"),
        ("PROMPT_SERVER__PORT", "eighty", "server.port (from PROMPT_SERVER__PORT): Input should be a valid integer"),
        (
            "PROMPT_GEMINI__DEADLINE_S",
            "inf",
            "gemini.deadline_s (from PROMPT_GEMINI__DEADLINE_S): Input should be a finite",
        ),
        ("PROMPT_SERVER__CORS_ALLOWED_ORIGINS", "https://a.example/", "server.cors_allowed_origins.0: an origin is"),
        ("PROMPT_SERVER__CORS_ALLOWED_ORIGINS", "*", "server.cors_allowed_origins.0: name each origin"),
        ("PROMPT_REDIS__URL", f"http://:{MARKER}@h", "redis: url must begin with one of redis://, rediss://, unix://"),
        (
            "PROMPT_REDIS__URL",
            f"redis://:{MARKER}@h:a",
            "redis: url has no valid port; special characters in its password",
        ),
        (
            "PROMPT_IDENTITY__JWT__ALGORITHM",
            "none",
            "identity.jwt.algorithm (from PROMPT_IDENTITY__JWT__ALGORITHM): Input should",
        ),
        ("PROMPT_IDENTITY__JWT__ALGORITHM", "HS256", "identity.jwt: HS256 needs a secret of at least 32 bytes"),
        ("PROMPT_IDENTITY__JWT__ALGORITHM", "ES256", "identity.jwt: ES256 needs either public_key_file or jwks_url"),
        ("PROMPT_TASKS__LEASE_S", "5.9", "tasks: lease_s must be at least twice renew_every_s"),
        ("PROMPT_TASKS__STATUS_TTL_S", "119", "tasks: status_ttl_s must not be below deadline_s"),
        (
            "PROMPT_IDENTITY__JWT__JWKS_URL",
            "http://id.example/keys",
            "identity.jwt: jwks_url must begin with https://; plain http is for this machine's own addresses",
        ),
        ("PROMPT_MONEY__HOLD_TOKENS", "701", "money: hold_tokens must not exceed minimum_tokens"),
        *(
            ("PROMPT_GEMINI__BASE_URL", url, "gemini.base_url (from PROMPT_GEMINI__BASE_URL): expected http")
            for url in (
                "h.example",
                "ftp://h",
                "http://[",
                "https://a..b",
                "https://${GEMINI_HOST}",
                "http://:80",
                "http://h:99999",
                "http://h/?a=b",
                "http://h/#a",
            )
        ),
        ("PROMPT_GEMINI__DEADLINE_S", "120", "settings: gemini.deadline_s must be below tasks.deadline_s"),
    ],
)
def test_a_wrong_value_is_named_with_its_path_and_what_was_expected(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str, problem: str
) -> None:
    monkeypatch.setenv(name, text)
    [said] = problems_of()
    assert said.startswith(problem)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("PROMPT_SERVER__PROT", "did you mean PROMPT_SERVER__PORT?"),
        ("prompt_server__prot", "did you mean PROMPT_SERVER__PORT?"),
        ("PROMPT_LOGS__QUIET_PLEASE", "config.yaml lists every one"),
        ("PROMPT_SERVER__", "did you mean PROMPT_SERVER__PORT?"),
    ],
)
def test_an_unknown_variable_is_named_with_the_nearest_one(
    monkeypatch: pytest.MonkeyPatch, name: str, hint: str
) -> None:
    monkeypatch.setenv(name, MARKER)
    assert problems_of() == [f"{name}: unknown setting; {hint}"]


def test_an_unknown_variable_in_the_dotenv_file_is_named_too() -> None:
    Path(".env").write_text(f"PROMPT_REDIS__URLS={MARKER}\n")
    assert problems_of() == ["PROMPT_REDIS__URLS: unknown setting; did you mean PROMPT_REDIS__URL?"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("PROMPT_COMMAND", "history -a"),
        ("PROMPT_EOL_MARK", "%"),
        ("PROMPT_TOOLKIT_NO_CPR", "1"),
        ("PROMPT_SERVER_PORT", "tcp://10.0.0.12:8000"),
        ("PROMPT_SERVER_PORT_8000_TCP_ADDR", "10.0.0.12"),
        ("PROMPT_SERVER", "x"),
        ("PROMPT_REDIS", '{"url": "redis://elsewhere"}'),
        ("PROMPT_LOGS", "/var/log/prompt"),
        ("PROMPT_OTHERS__NAME", "x"),
    ],
)
def test_variables_of_other_programs_change_nothing(monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> None:
    monkeypatch.setenv(name, text)
    assert shown(load_settings()) == shown(Settings())
    Path(".env").write_text(f"{name}='{text}'\n")
    assert shown(load_settings()) == shown(Settings())


def test_a_variable_that_may_have_been_meant_for_us_is_doubted_without_its_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("PROMPT_SERVER_PORT", "PROMPT_REDIS_URL", "PROMPT_COMMAND", "PROMPT_GEMNI__API_KEY"):
        monkeypatch.setenv(name, MARKER)
    assert doubtful_variables() == [
        "PROMPT_GEMNI__API_KEY is not a setting and is not read; PROMPT_GEMINI__API_KEY is one",
        "PROMPT_REDIS_URL is not a setting and is not read; PROMPT_REDIS__URL is one",
        "PROMPT_SERVER_PORT is not a setting and is not read; PROMPT_SERVER__PORT is one",
    ]


def test_all_problems_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "my.yaml").write_text(f"server: {{port: [1], colour: {MARKER}}}\nredi: {{}}\n")
    said = problems_of(tmp_path / "my.yaml")
    assert [line.split(":")[0] for line in said] == ["server.port", "server.colour", "redi"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f"gemini:\n  api_key: {MARKER}: [\n", "line 2, column 36: not YAML: mapping values are not allowed"),
        (f"- {MARKER}\n", ": expected a mapping of settings"),
        ("server:\n  port: \x00\n", ": not YAML: unreadable characters"),
        ("server:\n  host: 2024-13-45\n", ": a date or a number in it cannot be read"),
        (f"server:\n  port: {'9' * 5_000}\n", ": a date or a number in it cannot be read"),
    ],
)
def test_a_broken_file_is_named_with_the_place_but_not_the_text(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "my.yaml").write_text(text)
    [said] = problems_of(tmp_path / "my.yaml")
    assert said.startswith(str(tmp_path / "my.yaml"))
    assert problem in said
    assert MARKER not in said


@pytest.mark.parametrize(
    ("text", "line", "name"),
    [
        ("server:\n  port: 1\nmoney:\n  hold_tokens: 900\nserver:\n  host: x\n", 5, "server"),
        ("server:\n  port: 1\n  port: 2\n", 3, "port"),
        (f"identity:\n  jwt:\n    secret: {MARKER}\n    secret: {MARKER}\n", 4, "secret"),
    ],
)
def test_a_name_that_stands_twice_is_refused_with_its_line(tmp_path: Path, text: str, line: int, name: str) -> None:
    (tmp_path / "my.yaml").write_text(text)
    assert problems_of(tmp_path / "my.yaml") == [
        f"{tmp_path / 'my.yaml'}, line {line}: {name} stands there a second time"
    ]


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_a_dotenv_file_in_another_encoding_is_named(encoding: str) -> None:
    Path(".env").write_text("NAME=ü\n", encoding)
    [said] = problems_of()
    assert said.startswith(".env: cannot be read: 'utf-8' codec")


@pytest.mark.parametrize(
    ("name", "value"), [("server.port", "yes"), ("tasks.deadline_s", "on"), ("gemini.tries", "no")]
)
def test_what_yaml_reads_as_true_or_false_is_no_number(tmp_path: Path, name: str, value: str) -> None:
    section, setting = name.split(".")
    (tmp_path / "my.yaml").write_text(f"{section}:\n  {setting}: {value}\n")
    assert problems_of(tmp_path / "my.yaml") == [f"{name}: expected a number; yes, no, on and off are none"]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    [said] = problems_of(tmp_path / "none.yaml")
    assert said.startswith(f"{tmp_path / 'none.yaml'}: cannot be read")


def test_an_empty_file_leaves_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "my.yaml").write_text("# nothing yet\n")
    assert load_settings(tmp_path / "my.yaml").server.port == 8000


# -- What is shown


def test_what_is_shown_is_the_whole_tree_without_a_secret() -> None:
    secrets = {
        "redis": {"url": f"redis://app:{MARKER}@10.0.0.1:6379/0"},
        "gemini": {"api_key": MARKER, "base_url": f"https://me:{MARKER}@proxy.example/gemini"},
        "identity": {
            "jwt": {"algorithm": "HS256", "secret": MARKER * 2, "jwks_url": f"https://a.example/?token={MARKER}"}
        },
    }
    settings = load_settings(overrides=secrets)
    tree = shown(settings)
    assert MARKER not in json.dumps(tree)
    assert tree["redis"]["url"] == "redis://app:***@10.0.0.1:6379/0"
    assert tree["gemini"]["api_key"] == "***"
    assert tree["gemini"]["base_url"] == "https://me:***@proxy.example/gemini"
    assert tree["identity"]["jwt"]["jwks_url"] == "https://a.example/?token=***"
    assert tree["server"]["port"] == 8000
    assert list(tree) == list(Settings.model_fields)


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("", ""),
        ("redis://h:6379/0", "redis://h:6379/0"),
        (f"rediss://:{MARKER}@h/0", "rediss://:***@h/0"),
        (f"redis://h/0?password={MARKER}&username=a", "redis://h/0?password=***&username=a"),
        (f"unix://:{MARKER}@/run/redis.sock?db=1", "unix://:***@/run/redis.sock?db=1"),
        (f"redis://app:p@{MARKER}@h:6379/0", "redis://app:***@h:6379/0"),
        (f"redis://app:p@{MARKER}:@@h:6379/0", "redis://app:***@h:6379/0"),
    ],
)
def test_a_password_in_a_url_is_masked_and_the_rest_can_be_read(url: str, seen: str) -> None:
    assert shown(load_settings(overrides={"redis": {"url": url}}))["redis"]["url"] == seen
