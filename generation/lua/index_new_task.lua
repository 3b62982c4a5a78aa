--- @include "clock"
-- index_new_task: note when the lease of a task that is about to be made should end, and whose it is. Hints: the records are the truth.
-- KEYS: 1 leases of a shard  2 unfinished_accounts of the shard  3 task_account
-- ARGV: 1 time from now until the lease ends, ms  2 member  3 account id  4 how long whose task it is is kept, s
-- Returns 1
-- Repeatable: the later call wins.
local now = now_ms()
redis.call('SET', KEYS[3], ARGV[3], 'EX', ARGV[4])
redis.call('ZADD', KEYS[2], now, ARGV[3])
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[1]), ARGV[2])
return 1
