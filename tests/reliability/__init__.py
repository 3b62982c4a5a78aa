"""The promises of docs/guarantees.md, each kept under a real fault; the long runs are in tests/chaos."""
