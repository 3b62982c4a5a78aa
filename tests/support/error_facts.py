"""What each error is raised with, for tests that make one of every kind."""

from __future__ import annotations

FACTS = {
    "BadRequest": (400, "invalid_json", "Body is wrong", "Send another."),
    "ManualPromptTooLong": (20_001, 20_000),
    "FeedbackInvalid": ("have 2,000 characters at most",),
    "UnknownBusinessType": (["general", "restaurant"],),
    "ManualPromptInvalid": ("a NUL character",),
    "TooManyTasks": (5,),
    "TooManyPolls": (50, 1),
    "TooManySubmits": (0.2, 50, 5),
    "TooManyStreams": (20,),
    "GenerationFailed": ("Generation cancelled", "You cancelled it.", "cancelled"),
    "Unauthorized": ("missing",),
    "SubjectUnusable": ("sub",),
    "SubscriptionRefused": ("keys.auth must be 16 bytes",),
    "AccountClosed": ("acc_1",),
    "SubmitUnsure": ("timeout", None, True),
    "UnknownAccount": ("acc_1",),
    "InvalidEntryId": ("soon",),
    "AccountExists": ("acc_1",),
    "InsufficientTokens": (700, 250),
    "InvalidPeriod": ("2025-13",),
    "StorageUnavailable": ("timeout",),
    "RecordUnreadable": (["app:{acc_1}:account"],),
}
