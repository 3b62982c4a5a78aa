--- @include "calls"
--- @include "readable"
--- @include "subscription_end"
-- change_account: set members of an account's record that are no money, and extend or end its subscription, in one step.
-- KEYS: 1 account  2 calls
-- ARGV: 1 days to add to the subscription from now or from its end, whichever is later; 0 ends it now; '' leaves it
--       2 id of this call  3… 1 to change a closed account too, else 0; then names of members, each with its new value after it
-- Returns {1, names of the members that differ now, with spaces between them} | {-1} no such account | {-2} it is closed
-- Repeatable: a call that is noted has happened, says the same again and changes nothing.
check_numbers(KEYS[1], 'subscription_until_ms')
check_type('hash', {KEYS[2]})
local record = redis.call('HMGET', KEYS[1], 'subscription_until_ms', 'closed_at')
local until_ms = tonumber(record[1] or '-1')
if until_ms < 0 then return {-1} end
local happened = answered_before(KEYS[2], ARGV[2])
if happened then return {1, happened} end
if ARGV[3] == '0' and (record[2] or '') ~= '' then return {-2} end
local changed = {}
local function set(member, value)
  if redis.call('HGET', KEYS[1], member) == value then return end
  redis.call('HSET', KEYS[1], member, value)
  changed[#changed + 1] = member
end
for i = 4, #ARGV, 2 do set(ARGV[i], ARGV[i + 1]) end
if ARGV[1] ~= '' then
  local now, days = redis.call('TIME')[1] * 1000, tonumber(ARGV[1])
  until_ms = days > 0 and subscription_end(math.max(until_ms, now), days) or math.min(until_ms, now)
  set('subscription_until_ms', string.format('%.0f', until_ms))
end
local names = table.concat(changed, ' ')
note_call(KEYS[2], ARGV[2], names)
return {1, names}
