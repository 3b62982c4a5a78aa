-- calls: which calls have happened, so that a repeated one does nothing: a hash, id of the call -> moment, ms, and what it
-- answered. One key for all, so that a deletion of the account finds it. It ends an hour after the last call; from a thousand
-- on each call looks at a few and drops those of more than a minute ago: a connection repeats a call within seconds. So those
-- of the last minute stay, and few others, and a call costs the same however many there are.
local MANY_CALLS, LOOKED_AT, REPEATED_MS = 1000, 20, 60000

-- answered_before: what the call answered when it came before, or nil.
local function answered_before(calls_key, id)
  return string.match(redis.call('HGET', calls_key, id) or '', '^%d+ (.*)$')
end

local function note_call(calls_key, id, answer)
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  if redis.call('HLEN', calls_key) >= MANY_CALLS then
    local some = redis.pcall('HRANDFIELD', calls_key, LOOKED_AT, 'WITHVALUES')  -- without the right to it none goes
    for i = 1, #some, 2 do
      local noted = tonumber(string.match(some[i + 1], '^%d+') or '0')
      if noted < now - REPEATED_MS then redis.call('HDEL', calls_key, some[i]) end
    end
  end
  redis.call('HSET', calls_key, id, string.format('%.0f ', now) .. answer)
  redis.call('EXPIRE', calls_key, 3600)
end
