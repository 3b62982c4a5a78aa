-- raise_schema: note the version of the stored data's layout, unless it is as new already or cannot be read.
-- KEYS: 1 schema
-- ARGV: 1 the version that the caller knows
-- Returns the version after that, as text
-- Repeatable: the version only grows.
local stored = redis.call('GET', KEYS[1])
if not stored or (stored:find('^%d+$') and tonumber(stored) < tonumber(ARGV[1])) then
  redis.call('SET', KEYS[1], ARGV[1])
  return ARGV[1]
end
return stored
