-- read_old_entries: the oldest entries of a ledger, of those that are old enough for the archive.
-- KEYS: 1 ledger  2 ledger_archived
-- ARGV: 1 how old an entry must be, ms  2 how many at most
-- Returns {id of the last entry archived before or '', the sums carried with it or '', entries}
-- Repeatable: reads only.
local archived = redis.call('HMGET', KEYS[2], 'last', 'sums')
local youngest = math.max(0, redis.call('TIME')[1] * 1000 + 999 - ARGV[1])  -- of this second, all
return {archived[1] or '', archived[2] or '', redis.call('XRANGE', KEYS[1], '-', youngest, 'COUNT', ARGV[2])}
