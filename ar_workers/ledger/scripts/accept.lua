-- Keeps an event once. ARGV: event id, checksum, event JSON, threat id, threat JSON or '', grace in ms,
-- remark or '', how its source says that the threat stands or '', as of when in ms or '', and its seal. What was set aside because
-- its seal was not good makes room for what is sealed now.
-- Returns accepted, duplicate or conflict; or turned, if it was accepted before and its source has said otherwise since.
local id, checksum, json, threat, threat_json, grace, remark, standing, as_of, seal = unpack(ARGV)
local key, threat_key = P .. 'event:' .. id, P .. 'threat:' .. threat
local told = standing ~= '' and fields_of(threat_key, 'standing', 'standing_at') or {}
local is_newer = not told.standing or standing ~= '' and tonumber(as_of) > tonumber(told.standing_at)
local known = fields_of(key, 'digest', 'state', 'reason')
local is_unbelieved = known.state == 'failed' and string.find(known.reason or '', '^security: ')
if known.digest and not is_unbelieved then
  if known.digest ~= checksum then return 'conflict' end
  return told.standing and told.standing ~= standing and is_newer and 'turned' or 'duplicate'
end

if is_unbelieved then redis.call('DEL', key) end
redis.call('HSET', key, 'digest', checksum, 'json', json, 'seal', seal, 'state', 'accepted', 'at', now, 'threat', threat)
schedule('event/' .. id, now + grace)
redis.call('ZADD', P .. 'threats', 'NX', now, threat)
redis.call('HSETNX', threat_key, 'accepted_at', now)
if threat_json ~= '' then redis.call('HSET', threat_key, 'json', threat_json) end
if standing ~= '' and is_newer then redis.call('HSET', threat_key, 'standing', standing, 'standing_at', as_of) end
note(threat, 'event/' .. id, remark == '' and 'accepted' or 'accepted: ' .. remark)
return 'accepted'
