"""What the server signs, the library that backends on Node use accepts, and nothing else."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

from notifications.signing import Signer, new_secret
from tests.web.conftest import WEB

VERIFY = """
import { readFileSync } from 'node:fs';
import { Webhook } from 'standardwebhooks';

const tries = JSON.parse(readFileSync(0, 'utf-8'));
const outcomes = tries.map(({ secret, body, headers }) => {
  try {
    return new Webhook(secret).verify(body, headers);
  } catch (error) {
    return error.name + ': ' + error.message;
  }
});
console.log(JSON.stringify(outcomes));
"""


def test_npms_standardwebhooks_verifies_with_either_secret_and_refuses_what_was_changed(
    node: str, node_modules: Path
) -> None:
    assert (node_modules / "standardwebhooks").is_dir()
    old, new, strange = new_secret(), new_secret(), new_secret()
    event = {"type": "task.completed", "data": {"account_id": "Jörg", "tokens_used": 5}}
    body = json.dumps(event, ensure_ascii=False)
    now_s = int(time.time())
    signer = Signer([old, new])
    headers = signer.headers("8d7f4c1e", now_s, body.encode("utf-8"))
    late = signer.headers("8d7f4c1e", now_s - 3_600, body.encode("utf-8"))
    tries = [
        {"secret": old, "body": body, "headers": headers},
        {"secret": new, "body": body, "headers": headers},
        {"secret": strange, "body": body, "headers": headers},
        {"secret": new, "body": body.replace("5", "6"), "headers": headers},
        {"secret": new, "body": body, "headers": headers | {"webhook-id": "another"}},
        {"secret": new, "body": body, "headers": late},
    ]
    done = subprocess.run(
        [node, "--input-type=module", "--eval", VERIFY],
        cwd=WEB,
        input=json.dumps(tries),
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    outcomes = json.loads(done.stdout)
    assert outcomes[:2] == [event, event]
    assert [outcome.partition(":")[0] for outcome in outcomes[2:]] == ["WebhookVerificationError"] * 4, outcomes
