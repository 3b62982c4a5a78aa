-- subscription_end: the moment, in ms, that many days after another; the year 9999 at the latest, ISO 8601's last.
local function subscription_end(from_ms, days)
  return math.min(from_ms + days * 86400000, 253402300799000)
end
