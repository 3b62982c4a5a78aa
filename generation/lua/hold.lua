--- @include "clock"
--- @include "fence"
--- @include "hold_tokens"
-- hold: check subscription and balance and set the tokens aside, in one step.
-- KEYS: 1 task  6 account  7 ledger
-- ARGV: 1 owner  2 epoch  3 minimum balance, tokens  4 hold, tokens
-- Returns {1, business type} | {-1} gone | {-2} closed | {-3} fenced
--       | {-8, end of the subscription, ISO or ''} | {-9, tokens available}
-- Repeatable: a task that has its hold keeps it, also under the next owner.
local allowed = fence(KEYS[1], ARGV[1], ARGV[2])
if allowed ~= 1 then return {allowed} end
local account = redis.call('HMGET', KEYS[6], 'business_type', 'subscription_until_ms', 'balance')
local task = redis.call('HMGET', KEYS[1], 'hold', 'id')
if tonumber(task[1]) == 0 then
  local until_ms = tonumber(account[2] or '0')
  if until_ms <= now_ms() then return {-8, until_ms > 0 and iso_time(until_ms) or ''} end
  local balance = tonumber(account[3])
  if balance < tonumber(ARGV[3]) then return {-9, balance} end
  hold_tokens(KEYS[6], KEYS[7], tonumber(ARGV[4]), task[2])
  redis.call('HSET', KEYS[1], 'hold', ARGV[4])
end
return {1, account[1] or ''}
