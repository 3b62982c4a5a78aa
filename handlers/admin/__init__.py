"""The API for the operator's backends: accounts, money, keys and tasks, with an admin key."""
