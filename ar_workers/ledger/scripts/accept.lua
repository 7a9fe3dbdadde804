-- Keeps an event once. ARGV: event id, checksum, event JSON, threat id, threat JSON or '', grace in ms,
-- remark or ''.
-- Returns accepted, duplicate or conflict.
local id, checksum, json, threat, threat_json, grace, remark = unpack(ARGV)
local key = P .. 'event:' .. id
local known = redis.call('HGET', key, 'digest')
if known then return known == checksum and 'duplicate' or 'conflict' end

redis.call('HSET', key, 'digest', checksum, 'json', json, 'state', 'accepted', 'at', now, 'threat', threat)
schedule('event/' .. id, now + grace)
redis.call('ZADD', P .. 'threats', 'NX', now, threat)
redis.call('HSETNX', P .. 'threat:' .. threat, 'accepted_at', now)
if threat_json ~= '' then redis.call('HSET', P .. 'threat:' .. threat, 'json', threat_json) end
note(threat, 'event/' .. id, remark == '' and 'accepted' or 'accepted: ' .. remark)
return 'accepted'
