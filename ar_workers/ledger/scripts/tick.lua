-- Whether this is the first call in the current window. KEYS[1] is the tick's own key. ARGV: window in ms. Returns 1 or 0.
local window = tonumber(ARGV[1])
if (tonumber(redis.call('GET', KEYS[1])) or 0) > now then return 0 end
redis.call('SET', KEYS[1], now + window, 'PX', window)
return 1
