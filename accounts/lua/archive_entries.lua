--- @include "readable"
-- archive_entries: drop the oldest entries of a ledger, which are in a file by now, and carry forward what they add up to.
-- KEYS: 1 ledger  2 ledger_archived
-- ARGV: 1 id of the last entry archived before, '' for none  2 id of the last one now  3 what all of them add up to
--       4 smallest id that stays
-- Returns number of entries dropped | -1 others were archived since they were read
-- Repeatable: what is carried already is not carried again.
check_type('stream', {KEYS[1]})
local last = redis.call('HGET', KEYS[2], 'last') or ''
if last == ARGV[2] then return 0 end
if last ~= ARGV[1] then return -1 end
redis.call('HSET', KEYS[2], 'last', ARGV[2], 'sums', ARGV[3])
return redis.call('XTRIM', KEYS[1], 'MINID', ARGV[4])
