-- uses: remotes
-- The remote asked to be left alone. ARGV: remote, ms.
local key = remote_key(ARGV[1])
local blocked = tonumber(redis.call('HGET', key, 'blocked_until') or '0')
redis.call('HSET', key, 'blocked_until', math.max(blocked, now + tonumber(ARGV[2])))
return 1
