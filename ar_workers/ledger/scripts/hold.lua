-- uses: moves
-- What guards hold: calls off what nobody has decided in time, and writes down as events what people are told of it, all of a guard as
-- one. ARGV: ms after which a hold ends, or '' for never; ms until people are first told again; most rows to call off.
-- Returns {how many were called off, id, queue, label, lane, ... of what waited for them}.
local life, first, left = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
-- Rows that an event names.
local MOST_NAMED = 10
local key = P .. 'holds'
-- {name -> {guard, cap, dry, waiting, over}}, the last two {number, named, since(when the oldest was held)}.
local holds, answer = {}, {0}

-- What is beyond each cap is one hold, whatever is counted; of a dry run it is another one.
local function hold_of(row)
  local cap = row.held_by == 'blast_radius' and CAP_OF[row.verb] or ''
  local name = row.held_by .. (cap ~= '' and '-' .. cap or '') .. (row.dry and '-dry' or '')
  holds[name] = holds[name] or
    {guard = row.held_by, cap = cap, dry = row.dry, waiting = {number = 0, named = {}}, over = {number = 0, named = {}}}
  return holds[name]
end

local function add(these, row, since)
  these.number, these.since = these.number + 1, math.min(these.since or since, since)
  if these.number <= MOST_NAMED then these.named[these.number] = row.verb .. ' ' .. row.subject end
end

local function call_off(id, row)
  local words = string.format('denied by expiry: nobody decided within %.4g h (held by %s)', life / 3600000, row.held_by)
  redis.call('SREM', P .. 'held', id)
  enter(id, row.threat, 'held', 'cancelled', words, {'undecided', 1})
  free_dependents(id, answer)
  answer[1], left = answer[1] + 1, left - 1
end

local function look_at(id)
  local row = get(id, 'state', 'threat', 'verb', 'subject', 'held_by', 'held_at', 'dry', 'acknowledged_at')
  if row.state ~= 'held' or not is_guard(row.held_by) then return end
  if not row.held_at then redis.call('HSET', row_key(id), 'held_at', now) end -- a version that knew no end has held it
  local since, hold = tonumber(row.held_at or now), hold_of(row)
  if life and since + life <= now then
    if left <= 0 then return end
    add(hold.over, row, since)
    return call_off(id, row)
  end
  -- Of an isolation that another guard holds people are reminded by itself (see remind.lua), until one acknowledges it.
  if row.acknowledged_at or hold.guard ~= 'blast_radius' and redis.call('ZSCORE', P .. 'uncontained', id) then return end
  add(hold.waiting, row, since)
end

local function tell(kind, name, hold, these, fields)
  fields.type, fields.guard, fields.cap = kind, hold.guard, hold.cap
  fields.number, fields.named, fields.since = these.number, these.named, math.floor(these.since / 1000)
  if hold.dry then fields.dry_run = true end
  redis.call('ZADD', P .. 'threats', 'NX', now, 'holds')
  redis.call('HSETNX', P .. 'threat:holds', 'accepted_at', now)
  announce('.' .. kind .. '-' .. name .. '-' .. redis.call('HINCRBY', key, name .. ' told', 1), 'holds', fields, '')
end

-- People are told again after a while, an hour later, and daily; and once more before the first of it ends.
local function next_after(step, ends)
  local at, last = now + (step == 1 and REMIND_AGAIN or REMIND_DAILY), ends and ends - REMIND_AGAIN
  return last and last > now and math.min(at, last) or at
end

local function remind(name, hold)
  local known = fields_of(key, name .. ' next', name .. ' steps')
  local since, step = hold.waiting.since, (known[name .. ' steps'] or 0) + 1
  local at, ends = tonumber(known[name .. ' next'] or since + first), life and since + life
  if at > now then return redis.call('HSET', key, name .. ' next', at) end
  redis.call('HSET', key, name .. ' next', next_after(step, ends), name .. ' steps', step)
  tell('hold_waits', name, hold, hold.waiting, {ends = ends and math.floor(ends / 1000) or nil})
end

for _, id in ipairs(redis.call('SMEMBERS', P .. 'held')) do look_at(id) end
for name, hold in pairs(holds) do
  if hold.over.number > 0 then tell('hold_expired', name, hold, hold.over, {after = life / 1000}) end
  if hold.waiting.number > 0 then remind(name, hold) end
end
-- One of which nothing waits any more begins anew the next time.
for _, field in ipairs(redis.call('HKEYS', key)) do
  local name = string.match(field, '^(.*) next$')
  if name and not (holds[name] and holds[name].waiting.number > 0) then redis.call('HDEL', key, field, name .. ' steps') end
end
return answer
