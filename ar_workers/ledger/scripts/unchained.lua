-- Moves that nobody has chained yet. ARGV: most, the folder of who asks to chain them or '' for a look, for how many ms another one
-- keeps the chain that took some last. Returns the number of the first, what the clock shows, and the moves; or nothing if another
-- folder has the chain.
local most, who, patience = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local key = P .. 'moves'
if who ~= '' then
  local keeper = fields_of(key .. ':keeper', 'who', 'at')
  if keeper.who and keeper.who ~= who and tonumber(keeper.at) + patience > now then return {} end
  redis.call('HSET', key .. ':keeper', 'who', who, 'at', now)
end
local found = redis.call('LRANGE', key, 0, most - 1)
table.insert(found, 1, string.format('%.0f', now))
table.insert(found, 1, redis.call('GET', key .. ':taken') or '0')
return found
