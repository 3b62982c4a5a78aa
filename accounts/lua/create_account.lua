--- @include "calls"
--- @include "check_money"
--- @include "clock"
--- @include "ledger_entry"
--- @include "subscription_end"
-- create_account: make an account with its first tokens, in one step.
-- KEYS: 1 account  2 ledger  3 calls
-- ARGV: 1 name  2 business type  3 created at, ISO  4 subscription, days from now  5 tokens  6 SHA-256 of what was asked  7 id of this call
-- Returns 1 created | 2 the same call came before | 0 the id is taken
-- Repeatable: a call that is noted has made the account, says so again, and changes nothing.
check_money(KEYS[1], KEYS[2])
check_type('hash', {KEYS[3]})
if redis.call('EXISTS', KEYS[1]) == 1 then
  if answered_before(KEYS[3], ARGV[7]) then return 1 end
  return redis.call('HGET', KEYS[1], 'asked') == ARGV[6] and 2 or 0
end
note_call(KEYS[3], ARGV[7], '')
local days = tonumber(ARGV[4])
local now = now_ms()
local until_ms = days > 0 and subscription_end(now - now % 1000, days) or 0
redis.call('HSET', KEYS[1], 'name', ARGV[1], 'business_type', ARGV[2], 'created_at', ARGV[3], 'created_ms', now,
  'subscription_until_ms', until_ms, 'asked', ARGV[6], 'granted', ARGV[5], 'balance', ARGV[5], 'held', 0, 'charged', 0)
if tonumber(ARGV[5]) > 0 then ledger_entry(KEYS[1], KEYS[2], 'grant', ARGV[5], '', 'account created', 0) end
return 1
