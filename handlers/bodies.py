"""Parses request bodies; an error has a sentence for each way in which a body is wrong."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictStr, StringConstraints, ValidationError
from tornado.httputil import HTTPHeaders

from generation.steering import Steering
from handlers.errors import BadRequest

# Names of UTF-8, and of ASCII, which is a part of it; written with any mark between the words, or with none.
# Source: WHATWG Encoding, 4.2, and Python's and .NET's own names; none at all is no statement.
UTF8 = ("", "utf8", "u8", "utf8sig", "unicode11utf8", "xunicode20utf8", "cp65001", "usascii", "ascii")
MARKS = str.maketrans("", "", "-_. ")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
GZIP = b"\x1f\x8b"
LONE_SURROGATE = re.compile("[\ud800-\udfff]")
TEXT_CODES = {
    "manual_prompt": "invalid_manual_prompt",
    "feedback": "invalid_feedback",
    "business_type": "unknown_business_type",
    "metadata": "invalid_metadata",
}
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


MAX_PAIRS = 16
MetadataName = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=64, pattern=r"^[^\x00]*$")]
MetadataText = Annotated[str, StringConstraints(strict=True, max_length=500, pattern=r"^[^\x00]*$")]
Metadata = Annotated[dict[MetadataName, MetadataText], Field(max_length=MAX_PAIRS)]


class PromptBody(BaseModel):
    """The body of both POST endpoints; unknown members are ignored, as the seed's server did."""

    model_config = ConfigDict(extra="ignore")

    manual_prompt: StrictStr = ""
    feedback: StrictStr | None = None
    business_type: StrictStr | None = None
    watch_token: StrictBool | None = None
    metadata: Metadata | None = None


def parse_prompt(headers: HTTPHeaders, body: bytes) -> tuple[str, Steering, bool]:
    """Return the manual prompt, its steering, and whether a watch token is wanted.

    JSON is accepted under any content type but a form's: fetch sends a string as text/plain.

    Raises:
        BadRequest: 415, or 400 with the wrong member and the reason.
    """
    _check_encoding(headers.get("Content-Encoding", ""), body)
    media_type, _, parameters = headers.get("Content-Type", "").partition(";")
    if media_type.strip().lower() in FORMS:
        raise _unsupported("Send the body as JSON with the header 'Content-Type: application/json'.")
    if not _is_utf8(parameters):
        raise _unsupported("Send the JSON in UTF-8.")
    body = body.removeprefix(BYTE_ORDER_MARK)  # RFC 8259, 8.1 lets a parser pass over it; .NET sends it
    try:
        asked = PromptBody.model_validate_json(body)
    except ValidationError as exc:
        if (members := _members_with_halves(exc, body)) is None:
            raise _bad_request(exc) from exc
        asked = _without_halves(members)
    metadata = json.dumps(asked.metadata, ensure_ascii=False, separators=(",", ":")) if asked.metadata else ""
    steering = Steering((asked.feedback or "").strip(), asked.business_type or "", metadata)
    return asked.manual_prompt, steering, bool(asked.watch_token)


def _check_encoding(content_encoding: str, body: bytes) -> None:
    codings = [coding.strip().lower() for coding in content_encoding.split(",")]
    compressed = [coding for coding in codings if coding not in ("", "identity")]
    if not compressed and body.startswith(GZIP):
        compressed = ["gzip"]
    if compressed:
        raise _unsupported(f"The body is compressed ({', '.join(compressed)[:40]}). Send it uncompressed.")


def _is_utf8(parameters: str) -> bool:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip("\"'").lower().translate(MARKS) in UTF8
    return True


def _unsupported(sentence: str) -> BadRequest:
    return BadRequest(415, "unsupported_media_type", "Unsupported media type", sentence)


def _members_with_halves(exc: ValidationError, body: bytes) -> dict[str, Any] | None:
    """Return the members of a body that is JSON but for halves of surrogate pairs, which JSON can spell; else None."""
    problem = exc.errors(include_url=False, include_input=False)[0]
    if "hex escape" not in str(problem.get("ctx", {}).get("error", "")):  # pydantic's words for a broken pair
        return None
    try:
        members = json.loads(body)
    except (ValueError, RecursionError):  # an incomplete escape, or something else besides
        return None
    return members if isinstance(members, dict) else None


def _without_halves(members: dict[str, Any]) -> PromptBody:
    """Return what a body says whose unknown members alone hold such halves.

    Raises:
        BadRequest: one that we read does.
    """
    known = {name: members[name] for name in PromptBody.model_fields if name in members}
    for name, value in known.items():
        if LONE_SURROGATE.search(json.dumps(value, ensure_ascii=False)):
            sentence = f"{name} has half of a surrogate pair, which is no character; send both halves, or none."
            raise BadRequest(400, TEXT_CODES.get(name, "invalid_parameter"), f"{name} is not valid text", sentence)
    try:
        return PromptBody.model_validate(known)
    except ValidationError as exc:
        raise _bad_request(exc) from exc


def _bad_request(exc: ValidationError) -> BadRequest:
    problem = exc.errors(include_url=False, include_input=False)[0]
    if problem["type"] == "json_invalid":
        detail = str(problem.get("ctx", {}).get("error", "it cannot be parsed"))
        return BadRequest(400, "invalid_json", "Body is not valid JSON", f"The body is not valid JSON: {detail}.")
    if problem["loc"] == ("manual_prompt",):
        return BadRequest(
            400, "invalid_manual_prompt", "manual_prompt must be a string", "Send manual_prompt as a JSON string."
        )
    if problem["loc"] == ("feedback",):
        return BadRequest(400, "invalid_feedback", "feedback must be a string", "Send feedback as a JSON string.")
    if problem["loc"] == ("business_type",):
        return BadRequest(
            400, "unknown_business_type", "business_type must be a string", "Send business_type as a JSON string."
        )
    if problem["loc"][:1] == ("metadata",):
        return BadRequest(
            400,
            "invalid_metadata",
            "metadata is not valid",
            f"Send metadata as an object of up to {MAX_PAIRS} strings of 500 characters, names of 64, and no NUL.",
        )
    if problem["loc"] == ("watch_token",):
        return BadRequest(400, "invalid_parameter", "watch_token is not valid", "Send watch_token as true or false.")
    return BadRequest(
        400, "invalid_json", "Body must be a JSON object", 'Send a JSON object such as {"manual_prompt": "…"}.'
    )
