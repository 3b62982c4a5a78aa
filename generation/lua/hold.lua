--- @include "check_money"
--- @include "clock"
--- @include "fence"
--- @include "hold_tokens"
-- hold: check subscription and balance and set the tokens aside, in one step.
-- KEYS: 1 task  6 account  7 ledger
-- ARGV: 1 owner  2 epoch  3 minimum balance, tokens  4 smallest hold, tokens  5 what the generation may cost at most, tokens
--       6 what a whole answer costs, tokens  7 what it costs at least, tokens  8 how many of such holds a balance is shared by
--       9 tokens by which the most for such a text is more than the usual, held beside the share
-- The hold is what the generation may cost, or a share of the balance where that is less, but enough for a whole answer, or
-- at least for the cheapest one.
-- Returns {1, business type, hold} | {-1} gone | {-2} closed | {-3} fenced
--       | {-8, end of the subscription, ISO or ''} | {-9, tokens available, tokens needed}
-- Repeatable: a task that has its hold keeps it, also under the next owner.
check_money(KEYS[6], KEYS[7])
local allowed = fence(KEYS[1], ARGV[1], ARGV[2])
if allowed ~= 1 then return {allowed} end
local account = redis.call('HMGET', KEYS[6], 'business_type', 'subscription_until_ms', 'balance')
local task = redis.call('HMGET', KEYS[1], 'hold', 'id')
local hold = tonumber(task[1])
if hold == 0 then
  local until_ms = tonumber(account[2] or '0')
  if until_ms <= now_ms() then return {-8, until_ms > 0 and iso_time(until_ms) or ''} end
  local balance = tonumber(account[3])
  if balance < tonumber(ARGV[3]) then return {-9, balance, tonumber(ARGV[3])} end
  local smallest, share = tonumber(ARGV[4]), math.min(balance, math.floor(balance / ARGV[8]) + ARGV[9])
  hold = math.max(smallest, math.min(tonumber(ARGV[5]), math.max(share, tonumber(ARGV[6]))))
  if hold > balance then hold = math.max(smallest, share, tonumber(ARGV[7])) end
  if hold > balance then return {-9, balance, hold} end
  hold_tokens(KEYS[6], KEYS[7], hold, task[2], 'generation started')
  redis.call('HSET', KEYS[1], 'hold', hold)
end
return {1, account[1] or '', hold}
