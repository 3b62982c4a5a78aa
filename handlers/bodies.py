"""What a request's body has to look like, and the sentence for each way in which it does not."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, StrictStr, ValidationError

from handlers.errors import BadRequest

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class PromptBody(BaseModel):
    """The body of both POST endpoints; members that we do not know are left alone, as the seed's server did."""

    model_config = ConfigDict(extra="ignore")

    manual_prompt: StrictStr = ""


def parse_prompt(content_type: str, body: bytes) -> str:
    """Return the manual prompt. JSON is taken under any name but that of a form: fetch calls a string text/plain.

    Raises:
        BadRequest: 415, or 400 with what is wrong where.
    """
    media_type, _, parameters = content_type.partition(";")
    if media_type.strip().lower() in FORMS:
        raise BadRequest(
            415,
            "unsupported_media_type",
            "Unsupported media type",
            "Send the body as JSON with the header 'Content-Type: application/json'.",
        )
    if "charset" in parameters.lower() and "utf-8" not in parameters.lower():
        raise BadRequest(415, "unsupported_media_type", "Unsupported media type", "Send the JSON in UTF-8.")
    try:
        return PromptBody.model_validate_json(body).manual_prompt
    except ValidationError as exc:
        raise _bad_request(exc) from exc


def _bad_request(exc: ValidationError) -> BadRequest:
    problem = exc.errors(include_url=False, include_input=False)[0]
    if problem["type"] == "json_invalid":
        detail = str(problem.get("ctx", {}).get("error", "it cannot be parsed"))
        if "hex escape" in detail:  # pydantic's words for both halves of a broken pair
            return BadRequest(
                400,
                "invalid_manual_prompt",
                "manual_prompt is not valid text",
                f"A \\u escape is incomplete, or half of a surrogate pair, which is no character ({detail}).",
            )
        return BadRequest(400, "invalid_json", "Body is not valid JSON", f"The body is not valid JSON: {detail}.")
    if problem["loc"] == ("manual_prompt",):
        return BadRequest(
            400, "invalid_manual_prompt", "manual_prompt must be a string", "Send manual_prompt as a JSON string."
        )
    return BadRequest(
        400, "invalid_json", "Body must be a JSON object", 'Send a JSON object such as {"manual_prompt": "…"}.'
    )
