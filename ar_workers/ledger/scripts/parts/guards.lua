-- uses: undos
-- What forbids a write: it was called off, it was undone since, the kill switch, the blast radius.

-- What the client says in JSON, read once in a script.
local told = {}
local function read_json(text)
  told[text] = told[text] or cjson.decode(text)
  return told[text]
end

-- A pause as ../../switches.py keeps it, read once in a script. Of versions before 0.5 it is a reason alone. That, and what cannot be
-- read, is closed and has no end.
local A_PAUSE = {by = 'string', reason = 'string', words = 'string', since = 'number'}
local pauses = {}
local function read_pause(text)
  if string.sub(text, 1, 1) ~= '{' then return {reason = text} end
  local is_whole, pause = pcall(cjson.decode, text)
  for name, kind in pairs(A_PAUSE) do is_whole = is_whole and type(pause[name]) == kind end
  is_whole = is_whole and (pause['until'] == nil or type(pause['until']) == 'number')
  return is_whole and pause or {reason = UNREADABLE .. text}
end

-- What stands in a field of a kill switch: a pause, and whether its end has come.
local function pause_in(text)
  pauses[text] = pauses[text] or read_pause(text)
  local ends = pauses[text]['until']
  return pauses[text], ends and ends <= now
end

-- The words of a switch that is closed; or nothing.
local function closed(text, scope, whom)
  if not text then return end
  local pause, has_ended = pause_in(text)
  if has_ended then return end
  return pause.words or 'paused' .. whom .. ' (' .. scope .. '): ' .. pause.reason
end

-- The first that is closed, in words, and as what a row is held by it. The switches of all customers come as JSON from the client, and
-- under `own SCOPE` those of this one that nobody has opened and that are gone.
local function first_closed(scopes, everyone)
  local all, own = read_json(everyone), redis.call('HMGET', P .. 'paused', unpack(scopes))
  for _, scope in ipairs(scopes) do
    local words = closed(all[scope], scope, ' for everyone')
    if words then return {words, 'everyone ' .. scope} end
  end
  for n, scope in ipairs(scopes) do
    local words = closed(own[n], scope, '') or closed(all['own ' .. scope], scope, '')
    if words then return {words, scope} end
  end
  return {}
end

-- Why the kill switch keeps what this EDR is asked for, and its scope; or nothing. What gives access back is let through.
local verdicts = {}
local function pause_of(edr, verb, everyone)
  if edr == '' or GIVES_BACK[verb] then return end -- a delivery has no EDR: people go on being told
  local asked = edr .. ' ' .. verb
  verdicts[asked] = verdicts[asked] or first_closed({'*', 'edr:' .. edr, 'verb:' .. verb}, everyone)
  return verdicts[asked][1], verdicts[asked][2]
end

-- Whether the switch that a row is held by is closed now.
local function is_closed(held_by, everyone)
  local scope = string.match(held_by, '^everyone (.*)$')
  if scope then return closed(read_json(everyone)[scope], scope, '') end
  return closed(redis.call('HGET', P .. 'paused', held_by), held_by, '') or closed(read_json(everyone)['own ' .. held_by], held_by, '')
end

-- Takes the pauses off the list whose end has come. Returns them in words.
local function drop_ended(key)
  local ended, found = {}, redis.call('HGETALL', key)
  for n = 1, #found, 2 do
    local pause, has_ended = pause_in(found[n + 1])
    if has_ended then
      redis.call('HDEL', key, found[n])
      ended[#ended + 1] = pause.words
    end
  end
  return ended
end

local function is_approved(approved, guard) return string.find(',' .. (approved or ''), ',' .. guard .. ',', 1, true) end

-- Where a cap counts, of all or of one group. What is only rehearsed uses up nothing of what may be done.
local function counter_of(cap, dry, group) return P .. cap .. (dry and ':dry' or '') .. (group and ':of:' .. group or '') end

-- How many are counted in the window of a cap, looked at once in a script.
local sizes = {}
local function counted(cap, key)
  if not sizes[key] then
    redis.call('ZREMRANGEBYSCORE', key, '-inf', now - CAP_WINDOWS[cap])
    sizes[key] = redis.call('ZCARD', key)
  end
  return sizes[key]
end

-- Whether one more is too many. What is rehearsed comes on top of what was done.
local function is_beyond(most, id, cap, dry, group)
  local key, size = counter_of(cap, dry, group), counted(cap, counter_of(cap, nil, group))
  if dry then size = size + counted(cap, key) end
  return size >= most and not redis.call('ZSCORE', key, id)
end

local function count(id, cap, dry, group)
  local key = counter_of(cap, dry, group)
  sizes[key] = counted(cap, key) + redis.call('ZADD', key, now, id)
  if group then redis.call('PEXPIRE', key, CAP_WINDOWS[cap]) end
end

-- Counts what has a cap; why it is one too many, or nothing. `caps` is JSON, {cap -> most}; one that is not there is no limit. Nor is
-- a group that is not among `shares`, {group -> {most, why so many}}: those of the row's endpoint.
local function blast_radius(id, row, caps, shares)
  local cap = CAP_OF[row.verb]
  local most = cap and read_json(caps)[cap]
  if not most then return end
  if not is_approved(row.approved, 'blast_radius') then
    local hours = CAP_WINDOWS[cap] / 3600000
    if is_beyond(most, id, cap, row.dry) then
      return string.format('blast radius: %d %s in the last %d h; a TRE decides', most, cap, hours)
    end
    for group, share in pairs(shares) do
      if is_beyond(share[1], id, cap, row.dry, group) then
        return string.format('blast radius: %d %s of group %s in the last %d h (%s); a TRE decides', share[1], cap, group, hours, share[2])
      end
    end
  end
  count(id, cap, row.dry)
  local groups = {}
  for group in pairs(shares) do
    count(id, cap, row.dry, group)
    groups[#groups + 1] = group
  end
  if groups[1] then redis.call('HSET', row_key(id), 'groups', cjson.encode(groups)) end
end

-- It came to nothing, and uses up nothing of what may be done.
local function uncount(id, verb, dry)
  local cap = CAP_OF[verb]
  if not cap then return end
  redis.call('ZREM', counter_of(cap, dry), id)
  local groups = redis.call('HGET', row_key(id), 'groups')
  for _, group in ipairs(groups and cjson.decode(groups) or {}) do redis.call('ZREM', counter_of(cap, dry, group), id) end
end

-- Of a customer's `shares` those of the endpoint that an order names, as far as its groups were known when it was planned.
local function shares_of(order, shares)
  local found, all = {}, read_json(shares)
  if not next(all) then return found end
  local is_read, endpoint = pcall(function() return cjson.decode(order).endpoint end)
  local groups = is_read and type(endpoint) == 'table' and endpoint.groups
  for _, group in ipairs(type(groups) == 'table' and groups or {}) do
    local name = tostring(endpoint.edr) .. '/' .. tostring(group)
    found[name] = all[name]
  end
  return found
end

-- What forbids the write that the row is about: {to, reason, held_by}, or nothing.
local function hindrance(id, row, caps, shares, everyone)
  local called_off = row.cancel or undone_since(id, row)
  if called_off then return 'cancelled', called_off end
  local reason, scope = pause_of(row.edr, row.verb, everyone)
  if reason then return 'held', reason, scope end
  local too_many = blast_radius(id, row, caps, shares)
  if too_many then return 'held', too_many, 'blast_radius' end
end
