--- @include "clock"
--- @include "named_kinds"
--- @include "note_delivery"
--- @include "note_usage"
--- @include "readable"
--- @include "settle_tokens"
--- @include "tell_low"
--- @include "write_document"
-- close_task: the one way in which a task becomes terminal: settlement, final document, record and notifications in one step.
-- `used` is in tokens over the task's whole life; what the record knows already counts when it is more. `sealed` is the
-- document that an earlier, forgotten end wrote: clients may have it, so it stays as it was. '' when there is none.
-- `kinds`: input, output, thoughts, cached and tool tokens of it, as '1,2,3,4,5', or ''.
-- `later`: account or ledger cannot be read, so the settlement is left to settle_ended. The record keeps its hold until then.
-- `stopped`: it was ended while Gemini worked for it. When no use was reported but a request had gone out, the estimate of
-- its input is charged, never more than hold and balance, and marked. So is, in every end, that of a request whose owner was lost.
-- `told`: head of the document for the webhook, '' for none; balance below which it is low, tokens, 0 for none; s that the
-- records are kept; ms after which the account's browsers are notified of an end that is no cancellation, unless somebody
-- has seen it by then (withdraw_push), -1 for never. Without it there are no notifications.
-- Returns {code, document, tokens charged, ms since the task was created, webhooks that are due}.
local function tell_end(told, stage_head, head, charged, reason)
  local due, task = 0, redis.call('HMGET', KEYS[1], 'id', 'trace', 'request')
  local how = string.find(stage_head, '^{"status":"completed"') and 'completed' or 'failed'
  if told[1] ~= '' then
    due = note_delivery(KEYS[8], KEYS[10], KEYS[11], task[1], 'task.' .. how, seal(KEYS[1], head), told[3], 0, task[2], task[3])
  end
  local push_after = tonumber(told[4])
  if push_after >= 0 and reason ~= 'cancelled' then
    local subscribed = redis.call('HKEYS', KEYS[14])
    if #subscribed > 0 then
      due = due + note_delivery(KEYS[13], KEYS[10], KEYS[11], 'push-' .. task[1], 'push.' .. how, table.concat(subscribed, ' '), told[3],
        push_after, task[2], task[3])
    end
  end
  return due + tell_low({KEYS[6], KEYS[9], KEYS[10], KEYS[11]}, task[1], tonumber(told[2]), told[3], charged, task[2], task[3])
end

-- Nothing is written when a record that this touches is none: a charge without its end would be made twice.
local function check_records()
  check_numbers(KEYS[1], 'hold', 'used', 'created_ms', 'estimate', 'lost_estimate', 'attempt', 'version')
  check_type('stream', {KEYS[3]})
  check_type('zset', {KEYS[4], KEYS[5], KEYS[10], KEYS[11]})
  check_type('hash', {KEYS[8], KEYS[9], KEYS[12], KEYS[13], KEYS[14]})
  for _, value in ipairs(redis.call('HMGET', KEYS[1], 'id', 'hold', 'used', 'created_ms', 'created_at', 'attempt')) do
    if not value then error(redis.error_reply('UNREADABLE ' .. KEYS[1])) end
  end
end

-- A deletion finds tasks by this list, which an end that comes late has outlived.
local function list_among_tasks(id, now, ttl_s)
  redis.call('ZADD', KEYS[5], 'NX', now, id)
  redis.call('EXPIRE', KEYS[5], 2 * ttl_s, 'NX')
  redis.call('EXPIRE', KEYS[5], 2 * ttl_s, 'GT')
end

local function close_task(code, stage, head, used, ttl_s, reason, floor, sealed, stopped, told, kinds, later)
  check_records()
  local record = redis.call('HMGET', KEYS[1], 'id', 'hold', 'used', 'created_ms', 'estimate', 'kinds', 'lost_estimate')
  if tonumber(record[3]) > tonumber(used) or not kinds then used, kinds = math.max(tonumber(used), tonumber(record[3])), record[6] or '' end
  used = tonumber(used)
  local estimated, estimate = false, stopped and record[5] or record[7]
  if used == 0 and estimate then
    local payable = tonumber(record[2]) + (later and 0 or tonumber(redis.call('HGET', KEYS[6], 'balance') or '0'))
    used = math.min(tonumber(estimate), payable)
    estimated = used > 0
    kinds = tostring(used)
  end
  local named, now, usage = named_kinds(kinds), now_ms(), {}
  local charged = 0
  if later then
    redis.call('HSET', KEYS[1], 'unsettled', 1, 'kinds', kinds)
    if estimated then redis.call('HSET', KEYS[1], 'estimated', 1) end
  else
    charged = settle_tokens(KEYS[6], KEYS[7], tonumber(record[2]), used, record[1], reason, estimated, named)
    note_usage(KEYS[12], iso_time(now), reason == 'cancelled' and reason or stage, charged, named)
    redis.call('HSET', KEYS[1], 'hold', 0)
    redis.call('ZREM', KEYS[4], record[1])
  end
  redis.call('HSET', KEYS[1], 'stage', stage, 'closed', reason, 'used', used)
  redis.call('HDEL', KEYS[1], 'manual_prompt', 'steering')
  for i, kind in ipairs(named) do usage[i] = '"' .. kind[1] .. '":' .. kind[2] end
  local tail = ',"tokens_used":' .. used .. (#usage > 0 and ',"usage":{' .. table.concat(usage, ',') .. '}' or '')
    .. (estimated and ',"estimated":true' or '') .. ',"completed_at":"' .. iso_time(now) .. '"'
  local document = write_document(KEYS[1], KEYS[2], KEYS[3], head .. tail, ttl_s, floor, true)
  if sealed ~= '' then
    document = sealed
    redis.call('SET', KEYS[2], document, 'EX', ttl_s)
  end
  redis.call('XADD', KEYS[3], '*', 'end', '{}')
  list_among_tasks(record[1], now, ttl_s)
  if not later then redis.call('EXPIRE', KEYS[1], ttl_s) end
  local due = told and tell_end(told, head, told[1] ~= '' and told[1] .. tail or '', charged, reason) or 0
  return {code, document, charged, now - tonumber(record[4]), due}
end
