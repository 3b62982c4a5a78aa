--- @include "readable"
--- @include "subscription_end"
-- change_account: set members of an account's record that are no money, and extend or end its subscription, in one step.
-- KEYS: 1 account  2 mark of this call
-- ARGV: 1 days to add to the subscription from now or from its end, whichever is later; 0 ends it now; '' leaves it
--       2… 1 to change a closed account too, else 0; then names of members, each with its new value after it
-- Returns 1 | -1 no such account | -2 it is closed
-- Repeatable: a call whose mark is there has happened and changes nothing; without days the same values are set again.
check_numbers(KEYS[1], 'subscription_until_ms')
local record = redis.call('HMGET', KEYS[1], 'subscription_until_ms', 'closed_at')
local until_ms = tonumber(record[1] or '-1')
if until_ms < 0 then return -1 end
if redis.call('EXISTS', KEYS[2]) == 1 then return 1 end
if ARGV[2] == '0' and (record[2] or '') ~= '' then return -2 end
for i = 3, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
if ARGV[1] == '' then return 1 end
redis.call('SET', KEYS[2], '', 'EX', 3600)
local now = redis.call('TIME')[1] * 1000
local days = tonumber(ARGV[1])
until_ms = days > 0 and subscription_end(math.max(until_ms, now), days) or math.min(until_ms, now)
redis.call('HSET', KEYS[1], 'subscription_until_ms', until_ms)
return 1
