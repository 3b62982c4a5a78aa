--- @include "clock"
-- note_failed_delivery: list a webhook among those whose last try failed, and forget old ones and those beyond the most.
-- KEYS: 1 failed_deliveries
-- ARGV: 1 delivery and account  2 how long it is listed, s  3 how many are listed at the most, the newest
-- Returns 1
-- Repeatable: it is listed once, at its latest failure.
local now = now_ms()
redis.call('ZADD', KEYS[1], -now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], ARGV[2] * 1000 - now, '+inf')
local excess = redis.call('ZRANGE', KEYS[1], ARGV[3], ARGV[3] + 1000)
if #excess > 0 then redis.call('ZREM', KEYS[1], unpack(excess)) end
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1
