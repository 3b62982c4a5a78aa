--- @include "clock"
-- note_process: store a process' report; drop old reports and those that cannot be read.
-- KEYS: 1 processes
-- ARGV: 1 id of the process  2 how it does, JSON  3 after which silence a process is forgotten, ms
-- Returns 1
-- Repeatable: the last one counts.
local now, said = now_ms(), redis.call('HGETALL', KEYS[1])
for at = 1, #said, 2 do
  if (tonumber(string.match(said[at + 1], '^%d+')) or 0) < now - tonumber(ARGV[3]) then redis.call('HDEL', KEYS[1], said[at]) end
end
redis.call('HSET', KEYS[1], ARGV[1], string.format('%d %s', now, ARGV[2]))
redis.call('EXPIRE', KEYS[1], math.ceil(ARGV[3] / 1000))
return 1
