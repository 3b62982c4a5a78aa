-- list_unfinished: an account's unfinished tasks, the oldest first.
-- KEYS: 1 unfinished
-- ARGV: 1 how many at the most
-- Returns the ids
-- Repeatable: reads only.
return redis.call('ZRANGE', KEYS[1], 0, ARGV[1] - 1)
