--- @include "clock"
-- count_due: how many leases should have ended by now.
-- KEYS: 1 leases of a shard
-- ARGV: 1 the marker that says the shard is whole
-- Returns {1 | 0 the marker is there, number}
-- Repeatable: reads only.
return {redis.call('ZSCORE', KEYS[1], ARGV[1]) and 1 or 0, redis.call('ZCOUNT', KEYS[1], '-inf', now_ms())}
