-- A person opens a kill switch. KEYS[1] is the key of a customer's switches, or of those of all. ARGV: scope, what stood there when the
-- person said so, or '' for nothing, and their sealed word. Returns 1; 0 if something else stands there by now.
local key, scope, text, word = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
if (redis.call('HGET', key, scope) or '') ~= text then return 0 end
redis.call('HDEL', key, scope)
if word ~= '' then redis.call('HSET', key, 'resumed ' .. scope, word) end
return 1
