-- What forbids a write: it was called off, its endpoint was released since, the kill switch, the blast radius.

-- The kill switches, looked at once in a script; those of all customers come as JSON from the client.
local paused = {}
local function switches(scopes)
  local name = table.concat(scopes, ' ')
  paused[name] = paused[name] or redis.call('HMGET', P .. 'paused', unpack(scopes))
  return paused[name]
end

-- What the client says in JSON, read once in a script.
local told = {}
local function read_json(text)
  told[text] = told[text] or cjson.decode(text)
  return told[text]
end

-- Why the kill switch keeps what this EDR is asked for, and its scope; or nothing. What gives access back is let through.
local function pause_of(edr, verb, everyone)
  if edr == '' or GIVES_BACK[verb] then return end -- a delivery has no EDR: people go on being told
  local scopes, all = {'*', 'edr:' .. edr, 'verb:' .. verb}, read_json(everyone)
  for _, scope in ipairs(scopes) do
    if all[scope] then return 'paused for everyone (' .. scope .. '): ' .. all[scope], 'everyone ' .. scope end
  end
  for n, reason in ipairs(switches(scopes)) do
    if reason then return 'paused (' .. scopes[n] .. '): ' .. reason, scopes[n] end
  end
end

-- By whom the endpoint was released after the isolation was asked for, in words; or nothing.
local function released_since(verb, lane, epoch)
  if verb ~= 'isolate' then return end
  local endpoint = fields_of(P .. 'endpoint:' .. lane, 'generation', 'released_by')
  local current = tonumber(endpoint.generation or '0')
  if tonumber(epoch) < current then return 'released by ' .. (endpoint.released_by or 'a person') end
end

local function is_approved(approved, guard) return string.find(',' .. (approved or ''), ',' .. guard .. ',', 1, true) end

-- How many are counted in the window of a cap, looked at once in a script.
local sizes = {}
local function counted(cap)
  if not sizes[cap] then
    redis.call('ZREMRANGEBYSCORE', P .. cap, '-inf', now - CAP_WINDOWS[cap])
    sizes[cap] = redis.call('ZCARD', P .. cap)
  end
  return sizes[cap]
end

-- Counts what has a cap; why it is one too many, or nothing. `caps` is JSON, {cap -> most}; one that is not there is no limit.
local function blast_radius(id, verb, approved, caps)
  local cap = CAP_OF[verb]
  local most = cap and read_json(caps)[cap]
  if not most then return end
  if counted(cap) >= most and not is_approved(approved, 'blast_radius') and not redis.call('ZSCORE', P .. cap, id) then
    return string.format('blast radius: %d %s in the last %d h; a TRE decides', most, cap, CAP_WINDOWS[cap] / 3600000)
  end
  sizes[cap] = sizes[cap] + redis.call('ZADD', P .. cap, now, id)
end

-- What forbids the write that the row is about: {to, reason, held_by}, or nothing.
local function hindrance(id, row, caps, everyone)
  local called_off = row.cancel or released_since(row.verb, row.lane, row.epoch)
  if called_off then return 'cancelled', called_off end
  local reason, scope = pause_of(row.edr, row.verb, everyone)
  if reason then return 'held', reason, scope end
  local too_many = blast_radius(id, row.verb, row.approved, caps)
  if too_many then return 'held', too_many, 'blast_radius' end
end
