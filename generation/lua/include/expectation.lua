--- @include "clock"
-- expectation: the member of the document that says when the end is expected, or nothing.
-- `expected` is ms from now, 'same' for what the record holds, '' for nothing.
local function expectation(task_key, expected)
  if expected == '' then redis.call('HDEL', task_key, 'expected_at') return '' end
  if expected ~= 'same' then
    local at = now_ms() + expected
    redis.call('HSET', task_key, 'expected_at', string.format('%s.%03dZ', iso_time(at):sub(1, -2), at % 1000))
  end
  local known = redis.call('HGET', task_key, 'expected_at')
  return known and ',"expected_at":"' .. known .. '"' or ''
end
