--- @include "clock"
-- take_due: the members whose lease should have ended by now, oldest first; they are due again a little later.
-- KEYS: 1 leases of a shard
-- ARGV: 1 how many at the most  2 time until they are due again, ms
-- Returns the members
-- Repeatable: a call whose answer was lost delays its members, and loses none.
local now = now_ms()
local members = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])
for _, member in ipairs(members) do redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), member) end
return members
