--- @include "readable"
--- @include "subscription_end"
-- extend_subscription: add days from now or from the current end, whichever is later; 0 days end it now.
-- KEYS: 1 account  2 mark of this call
-- ARGV: 1 days
-- Returns 1 | -1 no such account
-- Repeatable: a call whose mark is there has happened and changes nothing.
check_numbers(KEYS[1], 'subscription_until_ms')
local until_ms = tonumber(redis.call('HGET', KEYS[1], 'subscription_until_ms') or '-1')
if until_ms < 0 then return -1 end
if not redis.call('SET', KEYS[2], '', 'NX', 'EX', 3600) then return 1 end
local now = redis.call('TIME')[1] * 1000
local days = tonumber(ARGV[1])
until_ms = days > 0 and subscription_end(math.max(until_ms, now), days) or math.min(until_ms, now)
redis.call('HSET', KEYS[1], 'subscription_until_ms', until_ms)
return 1
