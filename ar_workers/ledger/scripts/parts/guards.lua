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

-- The first that is closed, in words, and as what a row is held by it. The switches of all customers come as JSON from the client.
local function first_closed(scopes, everyone)
  local all, own = read_json(everyone), redis.call('HMGET', P .. 'paused', unpack(scopes))
  for _, scope in ipairs(scopes) do
    local words = closed(all[scope], scope, ' for everyone')
    if words then return {words, 'everyone ' .. scope} end
  end
  for n, scope in ipairs(scopes) do
    local words = closed(own[n], scope, '')
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
  return closed(redis.call('HGET', P .. 'paused', held_by), held_by, '')
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

-- Where a cap counts. What is only rehearsed uses up nothing of what may be done.
local function counter_of(cap, dry) return P .. cap .. (dry and ':dry' or '') end

-- How many are counted in the window of a cap, looked at once in a script.
local sizes = {}
local function counted(cap, dry)
  local key = counter_of(cap, dry)
  if not sizes[key] then
    redis.call('ZREMRANGEBYSCORE', key, '-inf', now - CAP_WINDOWS[cap])
    sizes[key] = redis.call('ZCARD', key)
  end
  return sizes[key]
end

-- Counts what has a cap; why it is one too many, or nothing. `caps` is JSON, {cap -> most}; one that is not there is no limit.
-- What is rehearsed comes on top of what was done.
local function blast_radius(id, verb, approved, caps, dry)
  local cap = CAP_OF[verb]
  local most = cap and read_json(caps)[cap]
  if not most then return end
  local key, size = counter_of(cap, dry), counted(cap) + (dry and counted(cap, dry) or 0)
  if size >= most and not is_approved(approved, 'blast_radius') and not redis.call('ZSCORE', key, id) then
    return string.format('blast radius: %d %s in the last %d h; a TRE decides', most, cap, CAP_WINDOWS[cap] / 3600000)
  end
  sizes[key] = sizes[key] + redis.call('ZADD', key, now, id)
end

-- What forbids the write that the row is about: {to, reason, held_by}, or nothing.
local function hindrance(id, row, caps, everyone)
  local called_off = row.cancel or undone_since(id, row)
  if called_off then return 'cancelled', called_off end
  local reason, scope = pause_of(row.edr, row.verb, everyone)
  if reason then return 'held', reason, scope end
  local too_many = blast_radius(id, row.verb, row.approved, caps, row.dry)
  if too_many then return 'held', too_many, 'blast_radius' end
end
