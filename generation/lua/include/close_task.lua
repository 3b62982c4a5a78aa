--- @include "clock"
--- @include "settle_tokens"
--- @include "write_document"
-- close_task: the one way in which a task becomes terminal: settlement, final document and record in one step.
-- `used` is in tokens over the task's whole life; what the record knows already counts when it is more. `sealed` is the
-- document that an earlier, forgotten end wrote: clients may have it, so it stays as it was. '' when there is none.
-- `stopped`: it was ended while Gemini worked for it. When no use was reported but a request had gone out, the estimate of
-- its input is charged, never more than hold and balance, and marked.
-- Returns {code, document, tokens charged, ms since the task was created}.
local function close_task(code, stage, head, used, ttl_s, reason, floor, sealed, stopped)
  local record = redis.call('HMGET', KEYS[1], 'id', 'hold', 'used', 'created_ms', 'estimate')
  used = math.max(tonumber(used), tonumber(record[3]))
  local estimated = false
  if stopped and used == 0 and record[5] then
    local payable = tonumber(record[2]) + tonumber(redis.call('HGET', KEYS[6], 'balance') or '0')
    used = math.min(tonumber(record[5]), payable)
    estimated = used > 0
  end
  local charged = settle_tokens(KEYS[6], KEYS[7], tonumber(record[2]), used, record[1], reason, estimated)
  redis.call('HSET', KEYS[1], 'stage', stage, 'closed', reason, 'hold', 0, 'used', used)
  redis.call('HDEL', KEYS[1], 'manual_prompt', 'steering')
  redis.call('ZREM', KEYS[4], record[1])
  local now = now_ms()
  local tail = ',"tokens_used":' .. used .. (estimated and ',"estimated":true' or '') .. ',"completed_at":"' .. iso_time(now) .. '"'
  local document = write_document(KEYS[1], KEYS[2], KEYS[3], head .. tail, ttl_s, floor, true)
  if sealed ~= '' then
    document = sealed
    redis.call('SET', KEYS[2], document, 'EX', ttl_s)
  end
  redis.call('XADD', KEYS[3], '*', 'end', '{}')
  redis.call('EXPIRE', KEYS[1], ttl_s)
  return {code, document, charged, now - tonumber(record[4])}
end
