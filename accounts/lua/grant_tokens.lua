--- @include "calls"
--- @include "check_money"
--- @include "ledger_entry"
--- @include "tell_low"
-- grant_tokens: add tokens to an account, or take back some that are neither held nor charged.
-- KEYS: 1 account  2 ledger  3 calls  4 delivery of a low balance  5 deliveries_due  6 deliveries
-- ARGV: 1 tokens, negative to take back  2 reason  3 tokens that an account may be granted in all  4 id of this call
--       5 balance below which it is low, tokens, 0 for none  6 how long webhooks are kept, s
-- Returns {1, webhooks due} | {-1} no such account | {-2, balance} the balance does not cover what is taken back | {-3} too many
--       | {-5} the account is deleted
-- Repeatable: a call that is noted has happened and changes nothing.
check_money(KEYS[1], KEYS[2])
check_type('hash', {KEYS[3], KEYS[4]})
check_type('zset', {KEYS[5], KEYS[6]})
local numbers = redis.call('HMGET', KEYS[1], 'balance', 'granted', 'deleted_at')
if not numbers[1] then return {-1} end
if numbers[3] then return {-5} end
if answered_before(KEYS[3], ARGV[4]) then return {1, redis.call('EXISTS', KEYS[4])} end
local balance = tonumber(numbers[1])
if balance + ARGV[1] < 0 then return {-2, balance} end
if numbers[2] + ARGV[1] > tonumber(ARGV[3]) then return {-3} end
note_call(KEYS[3], ARGV[4], '')
redis.call('HINCRBY', KEYS[1], 'granted', ARGV[1])
redis.call('HINCRBY', KEYS[1], 'balance', ARGV[1])
ledger_entry(KEYS[1], KEYS[2], 'grant', ARGV[1], '', ARGV[2], 0)
return {1, tell_low({KEYS[1], KEYS[4], KEYS[5], KEYS[6]}, ARGV[4], tonumber(ARGV[5]), ARGV[6], -ARGV[1], '', '')}
