--- @include "check_money"
--- @include "fence"
--- @include "hold_tokens"
-- extend_hold: set more tokens aside for a task, as many as the balance has.
-- KEYS: 1 task  6 account  7 ledger
-- ARGV: 1 owner  2 epoch  3 what the hold should come to, tokens
-- Returns {1, hold} | {-1} gone | {-2} closed | {-3} fenced
-- Repeatable: a hold that is as large stays as it is.
check_money(KEYS[6], KEYS[7])
local allowed = fence(KEYS[1], ARGV[1], ARGV[2])
if allowed ~= 1 then return {allowed} end
local task = redis.call('HMGET', KEYS[1], 'hold', 'id')
local hold, balance = tonumber(task[1]), tonumber(redis.call('HGET', KEYS[6], 'balance') or '0')
local more = math.min(ARGV[3] - hold, balance)
if hold > 0 and more > 0 then
  hold = hold + more
  hold_tokens(KEYS[6], KEYS[7], more, task[2], 'more held')
  redis.call('HSET', KEYS[1], 'hold', hold)
end
return {1, hold}
