--- @include "readable"
--- @include "tell_low"
-- note_low_balance: record that a webhook is due, when tokens that were taken back let the balance fall below a limit.
-- KEYS: 1 account  2 delivery of a low balance  3 deliveries_due  4 deliveries
-- ARGV: 1 id of the webhook behind its low-  2 balance below which it is low, tokens  3 how long webhooks are kept, s
--       4 tokens that were taken back
-- Returns 1 it is due | 0 the balance is not low, or was before, or the account is gone
-- Repeatable: a record that is there stays as it is.
check_type('hash', {KEYS[2]})
check_type('zset', {KEYS[3], KEYS[4]})
return tell_low({KEYS[1], KEYS[2], KEYS[3], KEYS[4]}, ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4]), '', '')
