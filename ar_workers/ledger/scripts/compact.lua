-- Replaces a settled threat's rows and timeline by what the client packed them into. ARGV: threat id, packed, length of
-- the timeline that was packed. Returns 1, or 0 if something has moved meanwhile or needs a person: its rows and timeline are left then.
local threat, packed, length = ARGV[1], ARGV[2], tonumber(ARGV[3])
local key = P .. 'threat:' .. threat
local timeline = key .. ':timeline'
if redis.call('LLEN', timeline) ~= length then return 0 end
local ids = redis.call('ZRANGE', key .. ':rows', 0, -1)
for _, id in ipairs(ids) do
  local row = get(id, 'state', 'threat')
  if row.state == 'failed' and row.threat == threat then redis.call('ZREM', P .. 'settled', threat) end -- back once it settles anew
  if not TERMINAL[row.state] or row.state == 'failed' then return 0 end
end
for _, id in ipairs(ids) do
  local row = get(id, 'state', 'threat', 'latest', 'generations', 'would', 'undecided', 'epoch')
  if row.threat == threat then
    redis.call('DEL', row_key(id), row_key(id) .. ':frees', row_key(id) .. ':gathered')
    redis.call('HSET', row_key(id), 'state', row.state, 'threat', threat)
    if (row.epoch or '0') ~= '0' then redis.call('HSET', row_key(id), 'epoch', row.epoch) end
    if row.would then redis.call('HSET', row_key(id), 'would', 1) end
    if row.undecided then redis.call('HSET', row_key(id), 'undecided', 1) end
    if row.latest then redis.call('HSET', row_key(id), 'latest', row.latest, 'generations', row.generations) end
  end
end
for _, line in ipairs(redis.call('LRANGE', timeline, 0, -1)) do
  local event = string.match(line, '^%d+ event/(%S+) accepted')
  local kept = event and fields_of(P .. 'event:' .. event, 'digest', 'state', 'threat')
  if kept and kept.digest then -- written anew, because a hash that has held a long value keeps its size
    redis.call('DEL', P .. 'event:' .. event)
    redis.call('HSET', P .. 'event:' .. event, 'digest', kept.digest, 'state', kept.state, 'threat', kept.threat)
  end
end
local kept = redis.call('HGETALL', key)
redis.call('DEL', key)
for n = 1, #kept, 2 do
  if kept[n] ~= 'json' then redis.call('HSET', key, kept[n], kept[n + 1]) end
end
redis.call('SET', key .. ':packed', packed)
redis.call('DEL', timeline)
redis.call('ZREM', P .. 'settled', threat)
return 1
