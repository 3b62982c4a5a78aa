--- @include "clock"
--- @include "fence"
-- renew: keep a task for another lease; with a lease of 0 hand it back, so that any process may take it at once.
-- KEYS: 1 task
-- ARGV: 1 owner  2 epoch  3 lease, ms  4 tokens used over the task's whole life, as far as is known  5 the same by kind, '1,2,3,4,5' or ''
-- Returns 1 | -1 gone | -2 closed | -3 fenced
-- Repeatable: renewing twice is renewing once, later.
local allowed = fence(KEYS[1], ARGV[1], ARGV[2])
if allowed ~= 1 then return allowed end
redis.call('HSET', KEYS[1], 'lease_ms', now_ms() + tonumber(ARGV[3]))
if tonumber(ARGV[4]) > (tonumber(redis.call('HGET', KEYS[1], 'used')) or 0) then
  redis.call('HSET', KEYS[1], 'used', ARGV[4], 'kinds', ARGV[5])
end
return 1
