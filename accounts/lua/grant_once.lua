--- @include "calls"
--- @include "check_money"
--- @include "ledger_entry"
--- @include "tell_low"
-- grant_once: add tokens to an account, or take back free ones, once for each id that the caller gives, for ever.
-- KEYS: 1 account  2 ledger  3 calls  4 grants  5 delivery of a low balance  6 deliveries_due  7 deliveries
-- ARGV: 1 tokens, negative to take back  2 reason  3 tokens that an account may be granted in all  4 id of this call
--       5 balance below which it is low, tokens, 0 for none  6 how long webhooks are kept, s  7 id of the grant
-- Returns {1, webhooks due, entry id} granted | {2, 0, entry id} the id came before with as many tokens | {-1} no such account
--       | {-2, balance} the balance does not cover what is taken back | {-3} too many | {-4} id came with other tokens
--       | {-5} the account is deleted
-- Repeatable: an id that is there has been granted and changes nothing; a call that is noted answers as it did.
check_money(KEYS[1], KEYS[2])
check_type('hash', {KEYS[3], KEYS[4], KEYS[5]})
check_type('zset', {KEYS[6], KEYS[7]})
local numbers = redis.call('HMGET', KEYS[1], 'balance', 'granted', 'deleted_at')
if not numbers[1] then return {-1} end
if numbers[3] then return {-5} end
local granted = answered_before(KEYS[3], ARGV[4])
if granted then return {1, redis.call('EXISTS', KEYS[5]), granted} end
local before = redis.call('HGET', KEYS[4], ARGV[7])
if before then
  local entry, tokens = string.match(before, '^(%S+) (%S+)$')
  return tokens == ARGV[1] and {2, 0, entry} or {-4}
end
local balance = tonumber(numbers[1])
if balance + ARGV[1] < 0 then return {-2, balance} end
if numbers[2] + ARGV[1] > tonumber(ARGV[3]) then return {-3} end
redis.call('HINCRBY', KEYS[1], 'granted', ARGV[1])
redis.call('HINCRBY', KEYS[1], 'balance', ARGV[1])
local entry = ledger_entry(KEYS[1], KEYS[2], 'grant', ARGV[1], '', ARGV[2], 0)
redis.call('HSET', KEYS[4], ARGV[7], entry .. ' ' .. ARGV[1])
note_call(KEYS[3], ARGV[4], entry)
return {1, tell_low({KEYS[1], KEYS[5], KEYS[6], KEYS[7]}, ARGV[4], tonumber(ARGV[5]), ARGV[6], -ARGV[1], '', ''), entry}
