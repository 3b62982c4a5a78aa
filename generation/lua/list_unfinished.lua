-- list_unfinished: an account's unfinished tasks, or its webhooks that are due, the oldest first.
-- KEYS: 1 unfinished or deliveries_due
-- ARGV: 1 how many at the most
-- Returns the ids
-- Repeatable: reads only.
return redis.call('ZRANGE', KEYS[1], 0, ARGV[1] - 1)
