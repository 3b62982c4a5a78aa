-- read_account: the account's hash, whether its subscription runs, and the ledger's newest id, as of one moment.
-- KEYS: 1 account  2 ledger
-- ARGV: none
-- Returns {hash as a flat list, 1 | 0 the subscription runs, id of the ledger's newest entry or ''}
-- Repeatable: reads only.
local until_ms = tonumber(redis.call('HGET', KEYS[1], 'subscription_until_ms') or '') or 0
local newest = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
return {redis.call('HGETALL', KEYS[1]), until_ms > redis.call('TIME')[1] * 1000 and 1 or 0, newest and newest[1] or ''}
