-- Planning an event failed. ARGV: event id, reason, wait in ms, most attempts. Returns the state.
local id, reason, wait, most = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local key = P .. 'event:' .. id
local event = fields_of(key, 'state', 'threat', 'reason')
if event.state ~= 'accepted' then return event.state or 'missing' end
redis.call('HSET', key, 'reason', reason)
if redis.call('HINCRBY', key, 'attempts', 1) >= most then
  redis.call('HSET', key, 'state', 'failed')
  unschedule('event/' .. id)
  note(event.threat, 'event/' .. id, 'failed: ' .. reason)
  return 'failed'
end
schedule('event/' .. id, now + wait)
if reason ~= event.reason then note(event.threat, 'event/' .. id, 'planning failed, will be tried again: ' .. reason) end
return 'accepted'
