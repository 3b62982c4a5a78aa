--- @include "clock"
-- expired_leases: whose lease should have ended by now, oldest first.
-- KEYS: 1 lease index
-- ARGV: 1 the marker that says the index is whole  2 how many at the most
-- Returns {1 | 0 the marker is there, members}
-- Repeatable: reads only.
return {
  redis.call('ZSCORE', KEYS[1], ARGV[1]) and 1 or 0,
  redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now_ms(), 'LIMIT', 0, ARGV[2]),
}
