-- uses: watch
-- Writes down as events which isolations are not in effect in time. ARGV: limit. Returns how many. Each has its next reminder then.
-- What the blast radius holds is told as one (see hold.lua), and again one by one only once a person has let it pass.
local function remind(id)
  local row = get(id, 'state', 'threat', 'edr', 'subject', 'reason', 'evidence', 'created_at', 'reminders', 'steps', 'held_by')
  if not row.threat or TERMINAL[row.state] then
    redis.call('ZREM', P .. 'uncontained', id)
    return 0
  end
  if row.state == 'held' and row.held_by == 'blast_radius' then
    watch(id, REMIND_AGAIN)
    return 0
  end
  local number, step = (row.reminders or 0) + 1, (row.steps or 0) + 1
  redis.call('HSET', row_key(id), 'reminders', number, 'steps', step, 'is_told', 1)
  watch(id, step == 1 and REMIND_AGAIN or REMIND_DAILY)
  local why = (row.reason or '') ~= '' and row.reason or row.evidence or ''
  announce('.overdue-' .. event_name(id) .. '-' .. number, row.threat, {type = 'isolation_overdue', row = id, edr = row.edr,
    subject = row.subject, state = row.state, reason = why, since = math.floor(row.created_at / 1000)}, '')
  return 1
end

local told = 0
for _, id in ipairs(redis.call('ZRANGEBYSCORE', P .. 'uncontained', '-inf', now, 'LIMIT', 0, tonumber(ARGV[1]))) do
  told = told + remind(id)
end
return told
