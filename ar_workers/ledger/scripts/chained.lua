-- Moves are on the disk, and in a chain. ARGV: the number of the first, how many. Returns 1, or 0 if others have taken them.
local first, count = ARGV[1], tonumber(ARGV[2])
local key = P .. 'moves'
if (redis.call('GET', key .. ':taken') or '0') ~= first then return 0 end
redis.call('LTRIM', key, count, -1)
redis.call('SET', key .. ':taken', string.format('%.0f', first + count))
return 1
