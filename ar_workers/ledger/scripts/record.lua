-- uses: moves undos
-- Writes the plan of an event in one step. ARGV: event id, threat id, when it occurred in ms, as of when its source said so in ms
-- or '', why it closes the threat or ''; then for each row what FIELDS names, how many rows it comes after, and their ids.
-- Returns the threat's rings {'yes', id, queue, label, lane, ...}, or {'no'} if the event is not waiting for a plan (any more).
local FIELDS = {'id', 'kind', 'verb', 'edr', 'subject', 'queue', 'label', 'lane', 'remote', 'order', 'state', 'reason', 'life',
  'wait', 'grace', 'has_fallback', 'once', 'asked_by', 'undoes', 'watch', 'dry', 'seal'}
local event_id, threat, occurred, as_of, closes = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5]
local event = P .. 'event:' .. event_id
if redis.call('HGET', event, 'state') ~= 'accepted' then return {'no'} end

local rows_key = P .. 'threat:' .. threat .. ':rows'
local position = redis.call('ZCARD', rows_key)
local is_first, rings = position == 0, {'yes'}
local is_dry_event = string.sub(threat, -4) == '~dry'
local recorded, states = {}, {} -- {id that a plan names -> id under which it is kept}, {id -> state}
local closed, is_reopened -- why, once it was looked up
-- What is written together once all are placed: {position, id, ...}, {id -> is placed}, {id -> ids that wait for it}.
local placed, is_placed, frees = {}, {}, {}

local function cancel(id, state, reason)
  if CANCELLABLE[state] then
    enter(id, threat, state, 'cancelled', reason)
    redis.call('SREM', P .. 'held', id)
    free_dependents(id, {})
  elseif not TERMINAL[state] then
    redis.call('HSET', row_key(id), 'cancel', reason) -- asked again before any write
  end
end

-- The threat no longer wants a row that other threats want, too.
local function leave_to(heir, rest, id, state)
  redis.call('HSETNX', row_key(id), 'planned_for', threat)
  redis.call('HSET', row_key(id), 'threat', heir, 'shared', rest)
  if not TERMINAL[state] then
    count_open(heir, 1)
    count_open(threat, -1)
  end
  note(heir, id, 'taken over from threat ' .. threat)
end

-- A closed threat lets go of a row that other threats want too, and cancels the rest; what gives access back goes on.
local function close(reason)
  redis.call('HSET', P .. 'threat:' .. threat, 'closed', reason, 'closed_at', occurred, 'closed_as_of', as_of)
  for _, id in ipairs(redis.call('ZRANGE', rows_key, 0, -1)) do
    local row = get(id, 'kind', 'verb', 'threat', 'shared', 'state')
    local heir, rest = string.match(row.shared or '', '^([^,]+),(.*)$')
    if row.threat ~= threat then
      local others = string.gsub(',' .. (row.shared or ''), ',' .. threat:gsub('%p', '%%%0') .. ',', ',')
      redis.call('HSET', row_key(id), 'shared', string.sub(others, 2))
    elseif heir then
      leave_to(heir, rest, id, row.state)
    elseif row.kind == 'action' and not GIVES_BACK[row.verb] then
      cancel(id, row.state, reason)
    end
  end
end

-- Looks once whether the threat is closed, and which came first. Both times are the source's own where it told both.
local function look_at_closing()
  if closed ~= nil then return end
  local found = fields_of(P .. 'threat:' .. threat, 'closed', 'closed_at', 'closed_as_of')
  closed = found.closed or false
  if not closed then return end
  local is_told = as_of ~= '' and (found.closed_as_of or '') ~= ''
  is_reopened = tonumber(is_told and as_of or occurred) > tonumber(is_told and found.closed_as_of or found.closed_at)
end

-- A threat that was closed is acted on anew: what was to be called off at its next step goes on.
local function reopen()
  redis.call('HDEL', P .. 'threat:' .. threat, 'closed', 'closed_at', 'closed_as_of')
  note(threat, 'event/' .. event_id, 'reopened')
  for _, id in ipairs(redis.call('ZRANGE', rows_key, 0, -1)) do
    local row = get(id, 'threat', 'cancel')
    if row.threat == threat and row.cancel == closed then
      redis.call('HDEL', row_key(id), 'cancel')
      redis.call('HSET', row_key(id), 'reopened', 1)
    end
  end
  closed = false
end

local function take_place(id)
  placed[#placed + 1] = position
  placed[#placed + 1] = id
  is_placed[id] = true
  position = position + 1
end

local function share(id)
  local row = get(id, 'threat', 'shared')
  local sharing = row.shared or ''
  if row.threat == threat or string.find(',' .. sharing, ',' .. threat .. ',', 1, true) then return end
  redis.call('HSET', row_key(id), 'shared', sharing .. threat .. ',')
  note(threat, id, 'shared with threat ' .. row.threat)
end

-- The id under which a new row is kept: the same one within a threat is one row, across threats it is shared while it is
-- unsettled, and justified anew (a repeat) after that, or once it was undone or called off. An undo that is settled is always justified anew: somebody
-- asked, and the same may have been done again since. So is all that a reopened threat asks for, what is rehearsed once more, what is asked
-- for in earnest after it was only rehearsed, what failed because its seal was not good, and what was held until its time was up.
local function name_of(new)
  local first = get(new.id, 'state', 'latest')
  if not first.state then return new.id, true end
  local latest = first.latest or new.id
  local last = get(latest, 'state', 'would', 'cause', 'verb', 'lane', 'epoch', 'cancel', 'undecided')
  local is_known = is_placed[latest] or redis.call('ZSCORE', rows_key, latest)
  local is_over = TERMINAL[last.state] or last.cancel or undone_since(latest, last)
  local is_unbelieved = last.state == 'failed' and last.cause == 'tampered' and not is_placed[latest]
  local is_anew = is_over and (GIVES_BACK[new.verb] or is_dry_event or last.would and new.dry == '0' or last.undecided)
  if is_known and not (is_reopened or is_unbelieved or is_anew) then return latest, false end
  if not is_over then
    if not is_known then take_place(latest) end
    is_first = false
    share(latest)
    hasten(latest, tonumber(new.watch))
    return latest, false
  end
  local repeats = redis.call('HINCRBY', row_key(new.id), 'generations', 1)
  local id = new.id .. '.' .. repeats + 1
  redis.call('HSET', row_key(new.id), 'latest', id)
  return id, true
end

local function state_of(id)
  states[id] = states[id] or get(id, 'state').state
  return states[id]
end

-- How often it was taken back. An undo is one time more.
local function epoch_of(new)
  local key = new.kind == 'action' and new.state ~= 'skipped' and epoch_key(new.id, new.verb, new.lane)
  if not key then return 0 end
  if UNDOES[new.verb] and new.dry == '0' then
    if new.asked_by ~= '' then redis.call('HSET', key, 'released_by', new.asked_by) end
    return redis.call('HINCRBY', key, 'generation', 1)
  end
  return redis.call('HGET', key, 'generation') or 0
end

local function await(id, new)
  local waits = 0
  for _, named in ipairs(new.after) do
    local before = recorded[named]
    if before and not FREES[state_of(before)] then
      frees[before] = frees[before] or {}
      table.insert(frees[before], id)
      waits = waits + 1
    end
  end
  return waits
end

-- Whether the EDR was never asked for the row that is to be taken back, and will not be, because that is older than its undo.
local function was_never_asked(id)
  local row = get(id, 'state', 'begun')
  local is_open = row.state == 'waiting' or row.state == 'pending' or row.state == 'held' or row.state == 'cancelled'
  return is_open and row.begun ~= '1'
end

local function first_state(new)
  if new.state == 'skipped' then return 'skipped', new.reason end
  if new.undoes ~= '' and was_never_asked(new.undoes) then return 'skipped', 'the EDR was never asked for what is to be undone' end
  if new.kind == 'action' and not GIVES_BACK[new.verb] and closed then return 'cancelled', closed end
  if new.once ~= '' and redis.call('SADD', P .. 'once', new.once) == 0 then return 'skipped', 'already told' end
  return 'pending', ''
end

-- Writes the row that `new` is kept as, in its first state.
local function settle_in(id, new, state, reason)
  if state == 'pending' then
    schedule(id, now + math.max(tonumber(new.grace), tonumber(new.wait)))
    note(threat, id, 'new -> pending' .. (new.dry == '1' and ' (dry run)' or ''))
  elseif state == 'waiting' then
    note(threat, id, 'waiting' .. (new.dry == '1' and ' (dry run)' or ''))
  else
    enter(id, threat, 'new', state, reason)
    return
  end
  if new.wait == '0' then append_ring(rings, id, new) end
end

local function place(new)
  look_at_closing()
  if closed and is_reopened and new.kind == 'action' and new.state ~= 'skipped' and not GIVES_BACK[new.verb] then reopen() end
  local epoch = epoch_of(new)
  local id, is_new = name_of(new)
  recorded[new.id] = id
  if not is_new then return end
  local state, reason = first_state(new)
  local waits = state == 'pending' and await(id, new) or 0
  if waits > 0 then state = 'waiting' end
  redis.call('HSET', row_key(id), 'kind', new.kind, 'verb', new.verb, 'edr', new.edr, 'remote', new.remote,
    'subject', new.subject, 'queue', new.queue, 'label', new.label, 'lane', new.lane, 'order', new.order, 'seal', new.seal,
    'threat', threat, 'created_at', now, 'deadline', now + new.life, 'epoch', epoch, 'generation', 1, 'fence', 0,
    'waits', waits, 'state', state, 'reason', reason, 'next_at', now + new.wait, 'has_fallback', new.has_fallback)
  if new.dry == '1' then redis.call('HSET', row_key(id), 'dry', 1) end
  states[id] = state
  if new.watch ~= '0' and not TERMINAL[state] then
    redis.call('HSET', row_key(id), 'watch', new.watch)
    watch(id, tonumber(new.watch))
  end
  take_place(id)
  count_open(threat, 1)
  settle_in(id, new, state, reason)
end

-- The row that begins at ARGV[n], and where the next one begins.
local function new_at(n)
  local new = {}
  for at = 1, #FIELDS do new[FIELDS[at]] = ARGV[n + at - 1] end
  n = n + #FIELDS
  local last = n + tonumber(ARGV[n])
  new.after = {unpack(ARGV, n + 1, last)}
  return new, last + 1
end

acts('event ' .. event_id)
if closes ~= '' then close(closes) end
local n = 6
while n <= #ARGV do
  local new
  new, n = new_at(n)
  place(new)
end
in_parts(placed, function(...) redis.call('ZADD', rows_key, ...) end)
for before, waiting in pairs(frees) do
  redis.call('HSET', row_key(before), 'frees', 1)
  in_parts(waiting, function(...) redis.call('RPUSH', row_key(before) .. ':frees', ...) end)
end
count_open(threat, 0)
redis.call('HSET', event, 'state', 'planned')
unschedule('event/' .. event_id)
note(threat, 'event/' .. event_id, 'planned')
-- Of what the ledger itself tells (`.`) only that is rung: of a threat with thousands of rows there may be as many such events.
if is_first or string.sub(event_id, 1, 1) == '.' then return rings end
rings = unsettled(threat)
table.insert(rings, 1, 'yes')
return rings
