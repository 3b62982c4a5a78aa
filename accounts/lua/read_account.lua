-- read_account: the account's hash, whether its subscription runs, and all of its ledger, as of one moment.
-- KEYS: 1 account  2 ledger
-- ARGV: 1 entries of the ledger to read at the most, 0 for none
-- Returns {hash as a flat list, 1 | 0 the subscription runs, entries}
-- Repeatable: reads only.
local until_ms = tonumber(redis.call('HGET', KEYS[1], 'subscription_until_ms') or '0')
local entries = ARGV[1] == '0' and {} or redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', ARGV[1])
return {redis.call('HGETALL', KEYS[1]), until_ms > redis.call('TIME')[1] * 1000 and 1 or 0, entries}
