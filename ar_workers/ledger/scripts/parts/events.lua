-- What the ledger itself writes down as an event, together with the move that it tells of.

-- A row's name as a part of an event's id.
local function event_name(id) return (string.gsub(string.match(id, ':(.*)$'), '[^%w._-]', '-')) end

-- Accepts it, once. `fields` become its JSON, with what every event has; `more` is the JSON of further ones, or ''.
local function announce(event_id, threat, fields, more)
  local key = P .. 'event:' .. event_id
  if redis.call('EXISTS', key) == 1 then return end
  fields.id, fields.customer = event_id, string.match(P, '{(.*)}')
  fields.threat_ref, fields.occurred_at = threat, math.floor(now / 1000)
  local about = redis.call('HGET', P .. 'threat:' .. threat, 'json') or 'null'
  local json = string.sub(cjson.encode(fields), 1, -2) .. ',"threat":' .. about .. more .. '}'
  redis.call('HSET', key, 'digest', 'own', 'json', json, 'state', 'accepted', 'at', now, 'threat', threat)
  schedule('event/' .. event_id, now)
  note(threat, 'event/' .. event_id, 'accepted')
end
