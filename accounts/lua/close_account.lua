--- @include "calls"
--- @include "readable"
-- close_account: close an account, end its subscription and revoke its keys, in one step: no key of a closed account works.
-- KEYS: 1 account  2 API keys  3 calls
-- ARGV: 1 closed at, ISO  2 id of this call
-- Returns 1 | 2 it was closed before, and had no key that works | -1 no such account
-- Repeatable: a call that is noted has happened, says so again and changes nothing.
check_numbers(KEYS[1], 'subscription_until_ms')
check_type('hash', {KEYS[2], KEYS[3]})
local record = redis.call('HMGET', KEYS[1], 'subscription_until_ms', 'closed_at', 'created_at')
if not record[3] then return -1 end
if answered_before(KEYS[3], ARGV[2]) then return 1 end
local changed = (record[2] or '') == ''
if changed then
  local now = redis.call('TIME')[1] * 1000
  local until_ms = string.format('%.0f', math.min(tonumber(record[1] or '0'), now))
  redis.call('HSET', KEYS[1], 'closed_at', ARGV[1], 'subscription_until_ms', until_ms)
end
local keys = redis.call('HGETALL', KEYS[2])
for i = 1, #keys, 2 do
  local read, key = pcall(cjson.decode, keys[i + 1])  -- one that cannot be read lets nobody in
  if read and type(key) == 'table' and key.revoked_at == '' then
    key.revoked_at = ARGV[1]
    redis.call('HSET', KEYS[2], keys[i], cjson.encode(key))
    changed = true
  end
end
if changed then note_call(KEYS[3], ARGV[2], '') end
return changed and 1 or 2
