-- What wrk sends: polls of 1,000 accounts in turn, each with its own token and for its own task of the moment.
-- Every request is 1 of `accounts` header blocks around the task id in the shared slots (see shared_slots.py).
-- Arguments: slots, number of accounts, file with the blocks, a submit for every N polls (0: none, -1: submits only),
-- file with the submits, polls per second (0: as fast as the answers come). Files: parts that end with a zero byte.
local ffi = require("ffi")
ffi.cdef [[
  typedef struct { int64_t s; int64_t ns; } bench_time;
  int open(const char *path, int flags);
  void *mmap(void *at, size_t length, int protection, int flags, int file, int64_t offset);
  int clock_gettime(int clock, bench_time *now);
]]
local READ_WRITE, SHARED, MONOTONIC, SLOT_BYTES = 3, 1, 1, 64
local LINE = "GET /api/v1/web-knowledge/generate-prompt-async/status/"
local slots, sent, accounts, every, number
local blocks, submits, requests, seen = {}, {}, {}, {}

local function parts(path)
  local list = {}
  for part in assert(io.open(path, "rb")):read("*a"):gmatch("([^%z]+)%z") do list[#list + 1] = part end
  return list
end

local function now_s(clock)
  ffi.C.clock_gettime(MONOTONIC, clock)
  return tonumber(clock.s) + tonumber(clock.ns) / 1e9
end

function init(args)
  accounts = tonumber(args[2])
  local file = ffi.C.open(args[1], 2)
  assert(file >= 0, "no shared slots")
  slots = ffi.cast("uint8_t *", ffi.C.mmap(nil, SLOT_BYTES * (accounts + 1), READ_WRITE, SHARED, file, 0))
  sent = ffi.cast("double *", slots)
  blocks, every, submits = parts(args[3]), tonumber(args[4]), parts(args[5])
  number = 0
  local rate = tonumber(args[6])
  if rate > 0 then pace(rate) end
end

-- wrk asks for a delay before each request of each connection: all of them share one timetable, so that the rate holds
-- however long the answers take, as long as a connection is free.
function pace(rate)
  local clock, due = ffi.new("bench_time"), nil
  function delay()
    local now = now_s(clock)
    due = (due or now) + 1 / rate
    return math.max(0, math.floor((due - now) * 1000))
  end
end

local function poll(slot)
  local at = slots + SLOT_BYTES * slot
  local changes = ffi.cast("uint32_t *", at)[0]
  if changes ~= seen[slot] then
    seen[slot] = changes
    requests[slot] = LINE .. ffi.string(at + 8, 36) .. blocks[slot]
  end
  return requests[slot]
end

function request()
  number = number + 1
  sent[0] = number
  local slot = number % accounts + 1
  if every < 0 or (every > 0 and number % (every + 1) == 0) then return submits[slot] end
  return poll(slot)
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    'BENCH {"requests": %d, "duration_s": %f, "p50_ms": %f, "p99_ms": %f, "max_ms": %f, "connect_errors": %d, '
    .. '"read_errors": %d, "write_errors": %d, "timeouts": %d, "not_2xx": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    latency.max / 1e3, errors.connect, errors.read, errors.write, errors.timeout, errors.status))
end
