--- @include "clock"
--- @include "readable"
-- recover: write the record of a task that nobody runs again, as far as its document and the ledger tell: its own is gone or
-- was not readable. Its lease has run out, so that it can be ended, and its hold is what the ledger says.
-- KEYS: 1 task  2 status  4 unfinished  5 tasks  7 ledger
-- ARGV: 1 task id  2 stage
-- Returns {1} written | {-1} nothing tells of it: no document and no hold | {-2} its final document is there
--       | {-3} there is a record
-- Repeatable: the second call finds the record.
local ENTRIES, LATEST = 10000, 1000  -- of the ledger: since the task was created, and where nothing tells when that was
if redis.call('EXISTS', KEYS[1]) == 1 then return {-3} end
check_type('string', {KEYS[2]})
check_type('zset', {KEYS[4], KEYS[5]})
check_type('stream', {KEYS[7]})
local document = redis.call('GET', KEYS[2]) or ''
if string.find(document, '"completed_at":"', 1, true) then return {-2} end
local created = tonumber(redis.call('ZSCORE', KEYS[5], ARGV[1]) or false)
local entries = created and redis.call('XRANGE', KEYS[7], string.format('%d', created), '+', 'COUNT', ENTRIES)
  or redis.call('XREVRANGE', KEYS[7], '+', '-', 'COUNT', LATEST)
local hold, settled = 0, false
for _, entry in ipairs(entries) do
  local fields = {}
  for i = 1, #entry[2], 2 do fields[entry[2][i]] = entry[2][i + 1] end
  if fields.task == ARGV[1] and fields.kind == 'hold' then hold = hold + tonumber(fields.tokens) end
  if fields.task == ARGV[1] and (fields.kind == 'settle' or fields.kind == 'release') then settled = true end
end
if settled then hold = 0 end
if document == '' and hold == 0 then return {-1} end
local now = now_ms()
local attempt, version = string.match(document, '"attempt":(%d+),"version":(%d+)}$')
redis.call('HSET', KEYS[1], 'id', ARGV[1], 'created_at', string.match(document, '"created_at":"([^"]+)","task_id":"') or iso_time(created or now),
  'created_ms', string.format('%d', created or now), 'deadline_ms', now, 'stage', ARGV[2], 'owner', '', 'epoch', 0, 'lease_ms', 0,
  'attempt', attempt or 1, 'progress', 0, 'hold', hold, 'used', 0, 'published', 0, 'version', version or 0)
local metadata = string.match(document, '"metadata":(%b{}),"created_at":"')
if metadata then redis.call('HSET', KEYS[1], 'metadata', metadata) end
redis.call('ZADD', KEYS[4], now, ARGV[1])
return {1}
