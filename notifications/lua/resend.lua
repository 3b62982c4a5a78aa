--- @include "clock"
--- @include "readable"
-- resend: let a webhook be tried again from now on, as often as a new one.
-- KEYS: 1 delivery  2 deliveries_due
-- ARGV: 1 id  2 how long deliveries_due is kept from now, s
-- Returns 1 | -1 gone
-- Repeatable: it is due once, and its tries are counted anew, however often it is asked for.
-- The record ends when it would have: the account's list, by which it is deleted, forgets it then.
check_type('hash', {KEYS[1]})
check_type('zset', {KEYS[2]})
if redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
local now = now_ms()
redis.call('HSET', KEYS[1], 'state', 'pending', 'tries', 0, 'due_ms', now)
redis.call('HINCRBY', KEYS[1], 'resent', 1)  -- a try that is under way counts no more
redis.call('ZADD', KEYS[2], now, ARGV[1])
redis.call('EXPIRE', KEYS[2], ARGV[2])
return 1
