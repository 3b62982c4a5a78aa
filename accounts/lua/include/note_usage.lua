-- note_usage: add one generation to the account's numbers of the day and of the month, by Redis' clock (UTC).
-- A field that is no number must not stop the settlement: pcall.
-- Fields: 2025-01-10:what and 2025-01:what; what is generations, the outcome, tokens (charged), or a kind of tokens used.
local function note_usage(usage_key, moment, outcome, charged, kinds)
  for _, period in ipairs({string.sub(moment, 1, 10), string.sub(moment, 1, 7)}) do
    redis.pcall('HINCRBY', usage_key, period .. ':generations', 1)
    redis.pcall('HINCRBY', usage_key, period .. ':' .. outcome, 1)
    if charged > 0 then redis.pcall('HINCRBY', usage_key, period .. ':tokens', charged) end
    for _, kind in ipairs(kinds) do redis.pcall('HINCRBY', usage_key, period .. ':' .. kind[1], kind[2]) end
  end
end
