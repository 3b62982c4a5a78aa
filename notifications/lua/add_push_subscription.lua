-- add_push_subscription: add a browser in which an account is notified; above the limit the oldest ones are removed.
-- KEYS: 1 push_subscriptions  2 account
-- ARGV: 1 id  2 the subscription, as JSON that has created_ms  3 how many an account may have
-- Returns 1 | -2 the account is closed or gone
-- Repeatable: the id names the endpoint, and what was there under it is replaced.
local account = redis.call('HMGET', KEYS[2], 'created_at', 'closed_at')
if not account[1] or (account[2] or '') ~= '' then return -2 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
while redis.call('HLEN', KEYS[1]) > tonumber(ARGV[3]) do
  local oldest, at
  local all = redis.call('HGETALL', KEYS[1])
  for i = 1, #all, 2 do
    local created = tonumber(string.match(all[i + 1], '"created_ms":(%d+)') or '0')
    if all[i] ~= ARGV[1] and (not at or created < at) then oldest, at = all[i], created end
  end
  redis.call('HDEL', KEYS[1], oldest)
end
return 1
