-- ledger_entry: record one movement of tokens, after the account's hash has been changed.
-- Fields: kind (grant | hold | settle | release), tokens moved, the balance, held and charged that result,
-- the task and reason behind it, and the tokens that were owed but could not be collected; `estimated` 1 where the
-- tokens were not reported; `kinds` are pairs of a kind of tokens and how many of them were used.
local function ledger_entry(account_key, ledger_key, kind, tokens, task_id, reason, uncollected, estimated, kinds)
  local now = redis.call('HMGET', account_key, 'balance', 'held', 'charged')
  local fields = {'kind', kind, 'tokens', tokens, 'balance', now[1], 'held', now[2],
    'charged', now[3], 'task', task_id, 'reason', reason, 'uncollected', uncollected}
  if estimated then fields[17], fields[18] = 'estimated', 1 end
  for _, kind in ipairs(kinds or {}) do
    fields[#fields + 1] = kind[1]
    fields[#fields + 1] = kind[2]
  end
  return redis.call('XADD', ledger_key, '*', unpack(fields))
end
