--- @include "clock"
--- @include "readable"
-- end_try: write down how the try of a webhook ended, unless another one has begun since.
-- KEYS: 1 delivery  2 deliveries_due
-- ARGV: 1 id  2 number of the try  3 state after it: pending, delivered or failed  4 how it ended
--       5 when the next one comes, ms from now  6 how long deliveries_due is kept from now, s
--       7 body of the next one, '' for the same  8 how often it had been sent again when the try began
-- Returns 1 | -1 gone | -3 another try has begun
-- Repeatable: the same outcome is written again.
-- The record ends when it would have: the account's list, by which it is deleted, forgets it then.
check_type('zset', {KEYS[2]})
local record = redis.call('HMGET', KEYS[1], 'tries', 'resent')
if not record[1] then return -1 end
if record[1] ~= ARGV[2] or (record[2] or '0') ~= ARGV[8] then return -3 end
local due = now_ms() + ARGV[5]
if ARGV[7] ~= '' then redis.call('HSET', KEYS[1], 'body', ARGV[7]) end
redis.call('HSET', KEYS[1], 'state', ARGV[3], 'last', ARGV[4], 'due_ms', due)
if ARGV[3] == 'pending' then redis.call('ZADD', KEYS[2], due, ARGV[1]) else redis.call('ZREM', KEYS[2], ARGV[1]) end
redis.call('EXPIRE', KEYS[2], ARGV[6])
return 1
