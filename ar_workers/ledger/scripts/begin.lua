-- The last question before a write. ARGV: row id, fence, least remaining lease in ms, most isolations an hour or -1.
-- Returns 'go', or why not; the row has then been moved, unless it is somebody else's.
local id, fence, least, most = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
if not is_ours(id, fence) then return 'stale' end
local row = get(id, 'lease_until', 'cancel', 'verb', 'edr', 'lane', 'epoch', 'approved')
if tonumber(row[1]) - now < least then return 'stale' end
local verb, lane = row[3], row[5]

if row[2] then
  leave(id, 'cancelled', row[2], {})
  return 'cancelled'
end
if verb == 'isolate' and tonumber(row[6]) < tonumber(redis.call('HGET', P .. 'endpoint:' .. lane, 'generation') or '0') then
  leave(id, 'cancelled', 'superseded by a later release', {})
  return 'cancelled'
end
for _, scope in ipairs({'*', 'edr:' .. row[4], 'verb:' .. verb}) do
  local reason = redis.call('HGET', P .. 'paused', scope)
  if reason then
    redis.call('HSET', row_key(id), 'held_by', scope)
    leave(id, 'held', 'paused (' .. scope .. '): ' .. reason, {})
    return 'held'
  end
end
if verb == 'isolate' and most >= 0 then
  redis.call('ZREMRANGEBYSCORE', P .. 'isolations', '-inf', now - 3600000)
  local counted = redis.call('ZSCORE', P .. 'isolations', id)
  if not counted and not row[7] and redis.call('ZCARD', P .. 'isolations') >= most then
    redis.call('HSET', row_key(id), 'held_by', 'guard')
    leave(id, 'held', 'blast radius: ' .. most .. ' isolations in the last hour; a TRE decides', {})
    return 'held'
  end
  redis.call('ZADD', P .. 'isolations', now, id)
end
redis.call('HSET', row_key(id), 'begun', 1, 'begun_at', now)
return 'go'
