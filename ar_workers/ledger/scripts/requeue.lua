-- A person brings a row back. ARGV: row id, by whom, life in ms. Returns {'yes', ring...} or {'no', reason}.
local id, by, life = ARGV[1], ARGV[2], tonumber(ARGV[3])
local row = get(id, 'state', 'threat', 'verb', 'lane', 'epoch')
local state = row[1]
if not state then return {'no', 'no such row'} end
if state ~= 'failed' and state ~= 'held' then return {'no', 'is ' .. state .. ': only failed or held rows can be requeued'} end

if state == 'failed' then
  redis.call('HINCRBY', row_key(id), 'generation', 1)
  count_open(row[2], 1)
  redis.call('HDEL', row_key(id), 'settled_at', 'performed_at', 'begun_at', 'looked_at', 'cancel')
  if row[3] == 'isolate' then
    redis.call('HSET', row_key(id), 'epoch', redis.call('HGET', P .. 'endpoint:' .. row[4], 'generation') or '0')
  end
else
  redis.call('HSET', row_key(id), 'approved', 1)
  redis.call('SREM', P .. 'held', id)
end
redis.call('HSET', row_key(id), 'attempts', 0, 'crashes', 0, 'looks', 0, 'begun', 0, 'receipt', '', 'deadline', now + life)
bring_back(id, row[2], state, 'requeued by ' .. by)
local rings = {'yes'}
add_ring(rings, id)
return rings
