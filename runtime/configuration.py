"""Where settings come from, and how they are shown.

Order: environment (``PROMPT_SERVER__PORT``), then systemd's credentials (a file of such a name in the folder
``CREDENTIALS_DIRECTORY``), then ``.env``, then the YAML file, then the defaults in
``runtime/settings.py``. An unknown name or a wrong value in any of them stops the start. In the environment only names
of our sections with two underscores are ours: Kubernetes sets ``PROMPT_SERVER_PORT`` for a Service of that name.
Refuses to know what a setting means.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import yaml
from dotenv import dotenv_values
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from runtime.settings import Settings

ENVIRONMENT_PREFIX = "PROMPT_"
DEFAULT_CONFIG = Path(__file__).parent.parent / "config.yaml"
MASK = "***"
SECTION_LEVELS = 5  # more than sections lie in each other
SAFE_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's own, ten times as fast, where PyYAML has it


# The file's tree on its way to where pydantic asks for it: a class of its own for each call costs its whole schema.
_from_file: ContextVar[dict[str, Any]] = ContextVar("from_file")


class InvalidSettings(Exception):
    """The settings cannot be used; ``problems`` has one line per wrong path."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class BareGeminiKey(PydanticBaseSettingsSource):
    """``GEMINI_API_KEY`` without our prefix, as Google's own tools read it; the prefixed name wins."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002  # abstract
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        key = _given().get("GEMINI_API_KEY")
        return {"gemini": {"api_key": key}} if key else {}


class _Sources(Settings, BaseSettings):
    """The tree, filled from all sources."""

    model_config = SettingsConfigDict(env_prefix=ENVIRONMENT_PREFIX, env_nested_delimiter="__")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # the library's signature
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # the library's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # the library's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # The environment has other programs' names, and PROMPT_SERVER alone would be read as the whole section.
        variables = EnvSettingsSource(settings_cls)
        given = _by_lower_name(_dotenv()) | _by_lower_name(_credentials()) | _by_lower_name(os.environ)
        variables.env_vars = {name: text for name, text in given.items() if _is_ours(name)}
        return init_settings, variables, BareGeminiKey(settings_cls), InitSettingsSource(settings_cls, _from_file.get())


def load_settings(config: Path | None = None, overrides: Mapping[str, Any] | None = None) -> Settings:
    """Read all sources and return the checked tree; ``overrides`` (nested, like the tree) win over everything.

    Raises:
        InvalidSettings: unreadable file, unknown name or wrong value, each with its path.
    """
    given = _from_file.set(_tree_in(config or DEFAULT_CONFIG))
    try:
        _refuse_unknown_variables()
        return _Sources(**dict(overrides or {}))
    except ValidationError as exc:
        raise InvalidSettings([_problem(error) for error in exc.errors(include_url=False)]) from exc
    finally:
        _from_file.reset(given)


def shown(settings: Settings) -> dict[str, Any]:
    """Return the tree as plain values for people to read: secrets and the passwords in URLs masked."""

    def masked(value: Any) -> Any:
        if isinstance(value, BaseModel):
            return {name: masked(getattr(value, name)) for name in type(value).model_fields}
        if isinstance(value, SecretStr):
            secret = value.get_secret_value()
            return _masked_url(secret) if "://" in secret else MASK if secret else ""
        return (
            _masked_url(value)
            if isinstance(value, str)
            else [masked(each) for each in value]
            if isinstance(value, tuple)
            else value
        )

    tree: dict[str, Any] = masked(settings)
    return tree


def _masked_url(text: str) -> str:
    # To the last @ of what may be a password: one that was not %-encoded may hold any of :/?#@ itself.
    text = re.sub(r"(?<=://)([^/@:?#]*):.*(?=@)", rf"\1:{MASK}", text, flags=re.DOTALL)
    return re.sub(r"(?i)(?<=[?&])(password|key|token)=[^&]*", rf"\1={MASK}", text)


def _variables() -> dict[str, str | None]:
    """All variables: ``.env``, then credentials, then the environment; the last one wins."""
    return {**_dotenv(), **_credentials(), **os.environ}


def _given() -> dict[str, str | None]:
    """The same, where one of the environment that is empty counts as absent."""
    environment = {name: text for name, text in os.environ.items() if text}
    return {**_dotenv(), **_credentials(), **environment}


def _dotenv() -> dict[str, str | None]:
    try:
        return dotenv_values(".env")
    except (OSError, UnicodeDecodeError) as exc:
        raise InvalidSettings([f".env: cannot be read: {exc}"]) from exc


def _by_lower_name(variables: Mapping[str, str | None]) -> dict[str, str | None]:
    return {name.lower(): text for name, text in variables.items() if text is not None}


def _credentials() -> dict[str, str]:
    """Settings from systemd's LoadCredential, which no child process and no ``/proc`` shows.

    Raises:
        InvalidSettings: the folder or a credential of ours cannot be read.
    """
    folder = os.environ.get("CREDENTIALS_DIRECTORY", "")
    found = {}
    try:
        paths = sorted(Path(folder).iterdir()) if folder and Path(folder).is_dir() else []
    except OSError as exc:
        raise InvalidSettings([f"{folder}: cannot be listed: {type(exc).__name__}"]) from exc
    for path in paths:
        if _is_ours(path.name) or path.name == "GEMINI_API_KEY":
            try:
                found[path.name] = path.read_text("utf-8").strip()
            except (OSError, UnicodeDecodeError) as exc:
                raise InvalidSettings([f"{path}: cannot be read: {type(exc).__name__}"]) from exc
    return found


def _section(section: type[BaseModel], name: object) -> type[BaseModel] | None:
    """Return the section of that name below another one; None for a setting, and for what is neither."""
    kind = section.model_fields[name].annotation if isinstance(name, str) and name in section.model_fields else None
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _variable_names(section: type[BaseModel] = Settings, prefix: str = ENVIRONMENT_PREFIX) -> Iterator[str]:
    for name in section.model_fields:
        if (below := _section(section, name)) is not None:
            yield from _variable_names(below, f"{prefix}{name.upper()}__")
        else:
            yield f"{prefix}{name.upper()}"


def _is_ours(variable: str) -> bool:
    """Say whether a variable means one of our sections."""
    section, two, _rest = variable.upper().removeprefix(ENVIRONMENT_PREFIX).partition("__")
    ours = variable.upper().startswith(ENVIRONMENT_PREFIX) and bool(two)
    return ours and section.lower() in Settings.model_fields


def doubtful_variables() -> list[str]:
    """Return a line for each variable that looks like a setting and is not one, without its value."""
    known = {name.replace("__", "_"): name for name in _variable_names()}
    doubts = []
    for name in sorted(_given()):
        if name.upper().startswith(ENVIRONMENT_PREFIX) and not _is_ours(name):
            near = difflib.get_close_matches(name.upper().replace("__", "_"), known, n=1, cutoff=0.9)
            doubts += [f"{name} is not a setting and is not read; {known[near[0]]} is one" for near in [near] if near]
    return doubts


def _tree_in(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text("utf-8")
        again = _named_again(yaml.compose(text, Loader=SAFE_LOADER))
        tree = yaml.load(text, Loader=SAFE_LOADER)  # noqa: S506  # both are safe ones
    except (OSError, UnicodeDecodeError) as exc:
        raise InvalidSettings([f"{path}: cannot be read: {exc}"]) from exc
    except yaml.YAMLError as exc:  # its own text quotes the line, which may hold a secret
        mark = exc.problem_mark if isinstance(exc, yaml.MarkedYAMLError) else None
        where = f"{path}, line {mark.line + 1}, column {mark.column + 1}" if mark else str(path)
        problem = exc.problem if isinstance(exc, yaml.MarkedYAMLError) else "unreadable characters"
        raise InvalidSettings([f"{where}: not YAML: {problem}"]) from None
    except (ValueError, RecursionError):  # of PyYAML's own making: month 13, a number of 5,000 digits
        raise InvalidSettings([f"{path}: a date or a number in it cannot be read"]) from None
    if again is not None:
        raise InvalidSettings([f"{path}, line {again.start_mark.line + 1}: {again.value} stands there a second time"])
    if tree is not None and not isinstance(tree, dict):
        raise InvalidSettings([f"{path}: expected a mapping of settings"])
    return _filled(tree or {}, Settings)


def _named_again(node: yaml.Node | None, levels: int = SECTION_LEVELS) -> yaml.ScalarNode | None:
    """Return a name that one section has twice: YAML's last one would undo all of the first without a word."""
    names: set[str] = set()
    for name, value in node.value if isinstance(node, yaml.MappingNode) and levels else ():
        if isinstance(name, yaml.ScalarNode):
            if name.value in names:
                return name
            names.add(name.value)
        if (again := _named_again(value, levels - 1)) is not None:
            return again
    return None


def _filled(tree: dict[str, Any], section: type[BaseModel]) -> dict[str, Any]:
    """Leave out each section of which the file has only the name: all that stood below it is commented out."""
    filled = {}
    for name, value in tree.items():
        below = _section(section, name)
        if below is None or value is not None:
            filled[str(name)] = _filled(value, below) if below is not None and isinstance(value, dict) else value
    return filled


def _refuse_unknown_variables() -> None:
    """Refuse misspelled variables of ours: pydantic-settings ignores names that it does not know."""
    known = set(_variable_names())
    wrong = [
        f"{name}: unknown setting{_hint(name.upper(), known)}"
        for name in sorted(_variables())
        if _is_ours(name) and name.upper() not in known
    ]
    if wrong:
        raise InvalidSettings(wrong)


def _hint(name: str, known: set[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.8)
    return f"; did you mean {near[0]}?" if near else "; config.yaml lists every one"


def _problem(error: ErrorDetails) -> str:
    path = ".".join(str(part) for part in error["loc"]) or "settings"
    variable = ENVIRONMENT_PREFIX + path.upper().replace(".", "__")
    where = f"{path} (from {variable})" if variable in _variables() else path
    if error["type"] == "extra_forbidden":
        return f"{where}: unknown setting; config.yaml lists every one"
    if error["type"] in ("model_type", "model_attributes_type"):  # pydantic's sentence names our classes
        return f"{where}: expected the settings of this section below it"
    return f"{where}: {error['msg'].removeprefix('Value error, ')}"
