--- @include "clock"
--- @include "readable"
-- claim_deliveries: take what is due of the webhooks and the push that a task's end left; nobody else is given them for a time.
-- KEYS: 1 delivery  2 delivery of a low balance  3 delivery of a push  4 deliveries_due
-- ARGV: 1 for how long, ms  2 id of the first  3 id of the second  4 id of the third
-- Returns {ms at which the next one is due or 0, ms until then, {id, type, body, created ms, number of this try, trace context or '', request id or '', how often it was sent again} …}
-- Repeatable: what was taken is due again when that time is over, and counts as one more try.
for i = 1, 3 do check_numbers(KEYS[i], 'due_ms', 'created_ms', 'tries') end
check_type('zset', {KEYS[4]})
local now, next_ms, found = now_ms(), 0, {}
for key, id in pairs({[KEYS[1]] = ARGV[2], [KEYS[2]] = ARGV[3], [KEYS[3]] = ARGV[4]}) do
  local record = redis.call('HMGET', key, 'state', 'due_ms', 'type', 'body', 'created_ms', 'trace', 'request', 'resent')
  if record[1] ~= 'pending' then
    redis.call('ZREM', KEYS[4], id)
  else
    local due = tonumber(record[2])
    if due <= now then
      due = now + ARGV[1]
      redis.call('HSET', key, 'due_ms', due)
      redis.call('ZADD', KEYS[4], due, id)
      local number = redis.call('HINCRBY', key, 'tries', 1)
      found[#found + 1] = {id, record[3], record[4], tonumber(record[5]), number, record[6] or '', record[7] or '', tonumber(record[8] or '0')}
    end
    if next_ms == 0 or due < next_ms then next_ms = due end
  end
end
return {next_ms, math.max(0, next_ms - now), unpack(found)}
