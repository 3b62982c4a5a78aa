-- list_failed_deliveries: the webhooks of one shard whose last try failed, from a moment back.
-- KEYS: 1 failed_deliveries
-- ARGV: 1 the moment, ms below zero, or -inf for now  2 how many older ones at the most
-- Returns {delivery and account, ms below zero of its last failure …}, all of that moment and then older ones, newest first
-- Repeatable: reads only.
local found = redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[1], ARGV[1], 'WITHSCORES')
for _, each in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. ARGV[1], '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[2])) do
  found[#found + 1] = each
end
return found
