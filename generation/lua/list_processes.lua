--- @include "clock"
-- list_processes: the latest reports of the living processes.
-- KEYS: 1 processes
-- ARGV: 1 after which silence a process is not alive, ms
-- Returns {now ms, {id, ms at which it said so, JSON} …}
-- Repeatable: reads only.
local now, said = now_ms(), redis.call('HGETALL', KEYS[1])
local found = {now}
for at = 1, #said, 2 do
  local ms, how = string.match(said[at + 1], '^(%d+) (.*)$')
  if (tonumber(ms) or 0) >= now - tonumber(ARGV[1]) then found[#found + 1] = {said[at], tonumber(ms), how} end
end
return found
