-- wrk URL -s wrk.lua -- METHOD [FILE] [each]
-- FILE is the body; "each" sends every request to a path of its own, its number for "__N__".
local count = 0

function init(args)
  wrk.method = args[1]
  if args[2] then
    local file = assert(io.open(args[2], "rb"))
    wrk.body = file:read("*a")
    file:close()
    wrk.headers["Content-Type"] = "application/octet-stream"
  end
  if args[3] == "each" then
    local before, after = wrk.path:match("^(.*)__N__(.*)$")
    local start = os.time()
    function request()
      count = count + 1
      return wrk.format(nil, before .. start .. "-" .. count .. after)
    end
  end
end

function done(summary, latency, requests)
  io.write(string.format(
    '{"requests":%d,"seconds":%f,"bytes":%d,"p50":%f,"p99":%f,"refused":%d,"broken":%d}\n',
    summary.requests, summary.duration / 1e6, summary.bytes,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
