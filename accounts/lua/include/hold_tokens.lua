--- @include "ledger_entry"
-- hold_tokens: set tokens aside for a task. The caller has checked that the balance covers them. `reason`, for the ledger,
-- is that the generation started unless given.
local function hold_tokens(account_key, ledger_key, tokens, task_id, reason)
  redis.call('HINCRBY', account_key, 'balance', -tokens)
  redis.call('HINCRBY', account_key, 'held', tokens)
  ledger_entry(account_key, ledger_key, 'hold', tokens, task_id, reason or 'generation started', 0)
end
