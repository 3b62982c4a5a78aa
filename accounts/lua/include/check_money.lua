--- @include "readable"
-- check_money: end a script that would move tokens of an account whose record or ledger is none.
local function check_money(account_key, ledger_key)
  check_numbers(account_key, 'granted', 'balance', 'held', 'charged', 'subscription_until_ms')
  check_type('stream', {ledger_key})
end
