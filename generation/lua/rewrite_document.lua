--- @include "expectation"
--- @include "write_document"
-- rewrite_document: write the document of an unfinished task again that Redis has lost (evicted, deleted by hand).
-- KEYS: 1 task  2 status  3 events
-- ARGV: 1 stage that the task stands at  2 head of that stage's document  3 status ttl, s
-- Returns 1 there is a document | -1 there is no such task | -2 closed | -7 it stands at another stage
-- Repeatable: a document that is there stays as it is.
if redis.call('EXISTS', KEYS[2]) == 1 then return 1 end
local record = redis.call('HMGET', KEYS[1], 'stage', 'closed')
if not record[1] then return -1 end
if record[2] then return -2 end
if record[1] ~= ARGV[1] then return -7 end
write_document(KEYS[1], KEYS[2], KEYS[3], ARGV[2] .. expectation(KEYS[1], 'same'), ARGV[3], 0)
return 1
