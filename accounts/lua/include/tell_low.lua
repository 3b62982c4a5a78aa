--- @include "note_delivery"
-- tell_low: record that a webhook about a low balance is due, when the balance, with what is held, has just fallen below `low`
-- tokens; 0 for none. Nothing is told of an account that is gone or closed: its deletion may have begun.
-- keys: the account, the webhook's record, deliveries_due, deliveries; spent: the tokens that the account lost in this step.
-- Returns how many webhooks are due for it.
local function tell_low(keys, id, low, kept_s, spent, trace, request)
  local account = redis.pcall('HMGET', keys[1], 'balance', 'held', 'closed_at')
  if not account[1] or (account[3] or '') ~= '' then return 0 end
  local left = (tonumber(account[1]) or 0) + (tonumber(account[2]) or 0)
  if left >= low or left + spent < low then return 0 end
  local body = '{"tokens_remaining":' .. left .. ',"low_balance_tokens":' .. low .. '}'
  return note_delivery(keys[2], keys[3], keys[4], 'low-' .. id, 'account.low_balance', body, kept_s, 0, trace, request)
end
