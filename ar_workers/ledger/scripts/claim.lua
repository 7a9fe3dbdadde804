-- Takes a due row. ARGV: row id, owner, lease in ms. Returns {'no', reason} or {'yes', the fields of a Claim}.
local id, owner, lease = ARGV[1], ARGV[2], tonumber(ARGV[3])
local row = redis.call('HMGET', row_key(id), 'state', 'fence', 'lease_until', 'was', 'owner', 'begun', 'next_at', 'lane',
  'threat', 'verb', 'epoch', 'deadline', 'kind', 'order', 'attempts', 'looks', 'crashes', 'generation', 'receipt', 'approved')
local state, was, lane, threat = row[1], row[4], row[8], row[9]
if not state then return {'no', 'no such row'} end

local function granted(fence, from)
  return {'yes', threat, row[13], row[14], from, fence, row[15] or '0', row[16] or '0', row[17] or '0', row[18], row[19] or '',
    (tonumber(row[12]) < now) and '1' or '0', row[20] or '0'}
end

if state == 'leased' then
  if row[5] == owner then return granted(row[2], was) end -- the same call again: its first reply was lost
  if tonumber(row[3]) > now then return {'no', 'leased'} end
  row[17] = redis.call('HINCRBY', row_key(id), 'crashes', 1)
  state = (was == 'pending' and row[6] == '1') and 'unknown' or was
  note(threat, id, 'lease expired: its worker was lost')
elseif state ~= 'pending' and state ~= 'performed' and state ~= 'unknown' then
  return {'no', state}
elseif tonumber(row[7]) > now then
  return {'no', 'not due'}
end

if row[10] == 'isolate' and state == 'pending' then
  local generation = tonumber(redis.call('HGET', P .. 'endpoint:' .. lane, 'generation') or '0')
  if tonumber(row[11]) < generation then
    enter(id, threat, state, 'cancelled', 'superseded by a later release')
    free_dependents(id, {})
    return {'no', 'cancelled'}
  end
end
if lane ~= '' and not redis.call('SET', P .. 'lane:' .. lane, id, 'NX', 'PX', lease) then
  if redis.call('GET', P .. 'lane:' .. lane) ~= id then
    redis.call('ZADD', P .. 'lane:' .. lane .. ':queue', 'NX', now, id)
    return {'no', 'endpoint busy'}
  end
  redis.call('PEXPIRE', P .. 'lane:' .. lane, lease)
end

local fence = redis.call('HINCRBY', row_key(id), 'fence', 1)
redis.call('HSET', row_key(id), 'state', 'leased', 'was', state, 'owner', owner, 'lease_until', now + lease)
redis.call('ZADD', due, now + lease + 1, id)
return granted(tostring(fence), state)
