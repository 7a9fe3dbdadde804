-- uses: rings watch
-- A row moves to another state: what is noted, what is due, what it frees, and what comes in again as an event.

-- Whether a kill switch holds a row, whose scopes are `*`, `edr:NAME` or `verb:NAME`, or a guard does.
local function is_switch(held_by) return held_by and string.find(held_by, '[*:]') end

local function is_guard(held_by) return held_by and not is_switch(held_by) end

-- What a person or another receiver must hear of: an action that failed for good or that a guard holds, a delivery with a fallback
-- that failed for good, one whose receiver takes nothing any more. Returns the type of its event, and what more its JSON says.
local function matter_of(row, to)
  if row.kind == 'action' and (to == 'failed' or is_guard(row.held_by)) then return 'action_stopped', '' end
  local is_delivery = row.has_fallback == '1' or string.find(row.cause or '', '^receiver')
  if to == 'failed' and is_delivery then return 'delivery_failed', ',"delivery":' .. row.order end
end

-- It comes in again as an event, once per generation of the row, and of what is held once per guard.
local function raise(id, threat, to, reason)
  local row = get(id, 'kind', 'verb', 'edr', 'subject', 'generation', 'held_by', 'cause', 'has_fallback', 'order', 'dry')
  local kind, order = matter_of(row, to)
  if not kind then return end
  local fields = {type = kind, reason = reason}
  if to == 'failed' then fields.cause = row.cause end
  if kind == 'action_stopped' then
    if row.dry then fields.dry_run = true end
    fields.verb, fields.subject, fields.state, fields.row, fields.edr = row.verb, row.subject, to, id, row.edr
    if to == 'held' then fields.guard = row.held_by end
  end
  announce('.' .. to .. '-' .. event_name(id) .. '-' .. row.generation .. (to == 'held' and '-' .. row.held_by or ''), threat, fields, order)
end

-- Moves a row to a state it stays in until somebody claims, resumes or requeues it, and writes `changes`, {name, value,
-- ...}, with it. Rings are collected by `free_dependents` and the leaving of lanes.
local function enter(id, threat, from, to, reason, changes)
  local fields = changes or {}
  local n = #fields
  fields[n + 1], fields[n + 2], fields[n + 3], fields[n + 4] = 'state', to, 'reason', reason
  if TERMINAL[to] then
    fields[n + 5], fields[n + 6] = 'settled_at', now
    count_open(threat, -1)
  end
  if to == 'held' then fields[n + 5], fields[n + 6] = 'held_at', now end
  redis.call('HSET', row_key(id), unpack(fields))
  if TERMINAL[to] or to == 'held' then unschedule(id) end
  if to == 'held' then redis.call('SADD', P .. 'held', id) end
  note(threat, id, from .. ' -> ' .. to .. (reason ~= '' and (': ' .. reason) or ''))
  if to == 'failed' or to == 'held' then raise(id, threat, to, reason) end
  if TERMINAL[to] then end_watch(id, threat, to) end
end

-- Enters `pending`, due at once.
local function bring_back(id, threat, from, reason)
  enter(id, threat, from, 'pending', reason, {'next_at', now})
  schedule(id, now)
end

-- What waited for `id` and now waits for nothing else becomes pending.
local function free_dependents(id, rings)
  local key = row_key(id) .. ':frees'
  local waiting = redis.call('LRANGE', key, 0, -1)
  if #waiting == 0 then return end
  for _, other in ipairs(waiting) do
    local left = redis.call('HINCRBY', row_key(other), 'waits', -1)
    local row = left <= 0 and get(other, 'state', 'threat', 'queue', 'label', 'lane') or {}
    if row.state == 'waiting' then
      bring_back(other, row.threat, 'waiting', '')
      append_ring(rings, other, row)
    end
  end
  redis.call('DEL', key)
end

-- Why nobody may claim a row now, as far as it can tell by itself; or nothing.
local function unclaimable(row)
  if row.state == 'leased' then return (tonumber(row.lease_until) or 0) > now and 'leased' or nil end
  if not CLAIMABLE[row.state] then return row.state end
  return (tonumber(row.next_at) or 0) > now and 'not due' or nil
end

-- Whether the row is still leased under this fence; a later claim has raised it.
local function is_ours(id, fence)
  local row = get(id, 'state', 'fence')
  return row.state == 'leased' and row.fence == fence
end
