-- list_tasks: the account's tasks, or its webhooks, newest first, after a given one.
-- KEYS: 1 tasks or deliveries
-- ARGV: 1 id of the one before the first, '' for the newest  2 how many at the most
-- Returns the ids; none when the one before is not there any more, because nothing older is either
-- Repeatable: reads only.
local rank = -1
if ARGV[1] ~= '' then rank = redis.call('ZREVRANK', KEYS[1], ARGV[1]) end
if not rank then return {} end
return redis.call('ZREVRANGE', KEYS[1], rank + 1, rank + tonumber(ARGV[2]))
