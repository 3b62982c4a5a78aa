"""Checks that an account's numbers agree with each other and with every entry of its ledger.

Owns what must hold; refuses to know where numbers and entries are kept.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from accounts.ledger import Carried, LedgerEntry

UNREADABLE_RECORD = "a record cannot be read"
LOST_RECORD = "only its id is left in the index; 'accounts delete' takes that out"
NOTHING_CARRIED = Carried()
UNEXPLAINED_LEDGER = "its record is lost, its ledger is there"


@dataclass(frozen=True, slots=True)
class AuditFailure:
    """An account whose numbers do not agree, and what its ledger adds up to.

    ``problems`` are words for the operator; a number of the account itself is None where it cannot be read.
    """

    account_id: str
    problems: tuple[str, ...]
    granted: int | None
    balance: int | None
    held: int | None
    charged: int | None
    ledger_granted: int
    ledger_held: int
    ledger_charged: int

    @property
    def unreadable(self) -> bool:
        """Say whether there is a record that is not one of ours."""
        return any(problem.startswith(UNREADABLE_RECORD) for problem in self.problems)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class Replay:
    """The sums of a ledger, entry by entry from the oldest, or from the first one after those that are carried.

    ``first_wrong`` is the id of the first entry that does not follow from those before it, or empty.
    """

    def __init__(self, carried: Carried = NOTHING_CARRIED) -> None:
        self.granted = carried.granted
        self.charged = carried.charged
        self.first_wrong = ""
        self._holds = dict(carried.holds)  # by task, those that have not ended
        self._last = carried.last

    @property
    def carried(self) -> Carried:
        """What all entries so far add up to."""
        return Carried(self._last, self.granted, self.charged, dict(self._holds))

    @property
    def held(self) -> int:
        return sum(self._holds.values())

    @property
    def balance(self) -> int:
        return self.granted - self.held - self.charged

    def add(self, entry: LedgerEntry) -> None:
        """Take one movement, and compare what the entry says of the numbers after it."""
        self._last = entry.id
        follows = self._move(entry)
        after = (entry.balance, entry.held, entry.charged)
        follows = follows and after == (self.balance, self.held, self.charged) and min(after) >= 0
        if not follows and not self.first_wrong:
            self.first_wrong = entry.id

    def _move(self, entry: LedgerEntry) -> bool:
        """Move the tokens; say whether the ledger so far allows it."""
        match entry.kind:
            case "grant":
                self.granted += entry.tokens
            case "hold":
                self._holds[entry.task_id] = self._holds.get(entry.task_id, 0) + entry.tokens
            case "settle":
                self._holds.pop(entry.task_id, None)
                self.charged += entry.tokens
            case "release":
                return self._holds.pop(entry.task_id, 0) == entry.tokens
            case _:
                return False
        return True


async def audit(
    account_id: str,
    members: Mapping[str, str] | None,
    entries: AsyncIterable[LedgerEntry],
    carried: Carried = NOTHING_CARRIED,
    known: Sequence[str] = (),
) -> AuditFailure | None:
    """Return what is wrong with the account, or None.

    ``entries`` are all as of ``members`` that are not archived, oldest first; ``members`` is None where the account's
    record is lost. ``known`` are problems that have been found already.
    """
    problems = list(known)
    replay = Replay(carried)
    some = bool(carried.last)
    try:
        async for entry in entries:
            some = True
            replay.add(entry)
    except (KeyError, ValueError):
        problems.append(f"{UNREADABLE_RECORD}: an entry of the ledger")
    if members is None:
        problems.append(UNEXPLAINED_LEDGER if some else LOST_RECORD)
        members = {}
    if replay.first_wrong:
        problems.append(f"the ledger does not add up from entry {replay.first_wrong} on")
    granted, balance, held, charged = (_number(members.get(name)) for name in ("granted", "balance", "held", "charged"))
    if granted is None or balance is None or held is None or charged is None:
        problems += [] if problems else ["a number is missing or is none"]
    else:
        checks = {
            "granted is not balance + held + charged": granted == balance + held + charged,
            "a number is negative": min(granted, balance, held, charged) >= 0,
            "the ledger's grants do not add up": replay.granted == granted,
            "the ledger's holds do not add up": replay.held == held,
            "the ledger's charges do not add up": replay.charged == charged,
        }
        problems += [problem for problem, holds in checks.items() if not holds]
    if not problems:
        return None
    return AuditFailure(
        account_id, tuple(problems), granted, balance, held, charged, replay.granted, replay.held, replay.charged
    )


def _number(text: str | None) -> int | None:
    try:
        return None if text is None else int(text)
    except ValueError:
        return None
