--- @include "check_money"
--- @include "ledger_entry"
-- settle_tokens: end a hold. Charge what was used, never more than hold and balance together, and give the rest back.
-- What could not be collected stands in the ledger entry. Without hold and use, or without the account, nothing happens.
-- An account that was restored as it was before the hold has those tokens still: no more than it holds is given back.
-- Returns the charge.
local function settle_tokens(account_key, ledger_key, hold, used, task_id, reason, estimated, kinds)
  if hold == 0 and used == 0 then return 0 end
  check_money(account_key, ledger_key)
  local account = redis.call('HMGET', account_key, 'balance', 'held')
  if not account[1] then return 0 end
  local balance = tonumber(account[1])
  hold = math.min(hold, tonumber(account[2] or '0'))
  local charged = math.min(used, hold + balance)
  redis.call('HINCRBY', account_key, 'held', 0 - hold)  -- not -hold: Lua's -0 is no integer to Redis
  redis.call('HINCRBY', account_key, 'balance', hold - charged)
  redis.call('HINCRBY', account_key, 'charged', charged)
  local kind = charged > 0 and 'settle' or 'release'
  ledger_entry(account_key, ledger_key, kind, charged > 0 and charged or hold, task_id, reason, used - charged,
    estimated, kinds)
  return charged
end
