--- @include "ledger_entry"
-- grant_tokens: add tokens to an account, or take some back that nobody has held or used.
-- KEYS: 1 account  2 ledger  3 mark of this call
-- ARGV: 1 tokens, negative to take back  2 reason
-- Returns {1} | {-1} no such account | {-2, balance} the balance does not cover what is taken back
-- Repeatable: a call whose mark is there has happened and changes nothing.
local balance = tonumber(redis.call('HGET', KEYS[1], 'balance') or '-1')
if balance < 0 then return {-1} end
if balance + tonumber(ARGV[1]) < 0 then return {-2, balance} end
if not redis.call('SET', KEYS[3], '', 'NX', 'EX', 3600) then return {1} end
redis.call('HINCRBY', KEYS[1], 'granted', ARGV[1])
redis.call('HINCRBY', KEYS[1], 'balance', ARGV[1])
ledger_entry(KEYS[1], KEYS[2], 'grant', ARGV[1], '', ARGV[2], 0)
return {1}
