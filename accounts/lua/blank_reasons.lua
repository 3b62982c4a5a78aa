--- @include "readable"
-- blank_reasons: copy entries of a ledger, grants without their reasons; the whole copy then takes the ledger's place.
-- KEYS: 1 ledger  2 ledger_blanked
-- ARGV: 1 how many entries to copy at most
-- Returns 1 the ledger is blanked | 0 entries are left: call again
-- Repeatable: goes on after the last entry that is copied; a ledger that is blanked is copied as it is.
check_type('stream', KEYS)
local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
local entries = redis.call('XRANGE', KEYS[1], last and '(' .. last[1] or '-', '+', 'COUNT', ARGV[1])
for _, entry in ipairs(entries) do
  local fields = entry[2]
  for i = 1, #fields, 2 do
    if fields[2] == 'grant' and fields[i] == 'reason' then fields[i + 1] = '' end
  end
  redis.call('XADD', KEYS[2], entry[1], unpack(fields))
end
if #entries == tonumber(ARGV[1]) then return 0 end
local oldest = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
if not oldest then
  redis.call('DEL', KEYS[2])  -- archived meanwhile
  return 1
end
redis.call('XTRIM', KEYS[2], 'MINID', oldest[1])
redis.call('RENAME', KEYS[2], KEYS[1])
return 1
