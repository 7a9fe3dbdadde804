-- uses: events
-- An isolation that is not in effect in time: people are told again and again, until it is, or until one acknowledges it.

-- From now on it has so many ms; 0 is as long as it likes.
local function watch(id, ms)
  if ms > 0 then redis.call('ZADD', P .. 'uncontained', now + ms, id) end
end

-- Another threat wants it too, and sooner. Of one that is watched no more nobody is told again.
local function hasten(id, ms)
  if ms > 0 then redis.call('ZADD', P .. 'uncontained', 'XX', 'LT', now + ms, id) end
end

-- It is over, well or not. Who was told that it is not in effect is told of its end, once; of a failure other events tell.
local function end_watch(id, threat, to)
  if string.match(id, '^[^:]*:([^:]*)') ~= 'isolate' then return end
  redis.call('ZREM', P .. 'uncontained', id)
  local row = get(id, 'is_told', 'reminders', 'edr', 'subject', 'reason', 'evidence', 'would')
  if not row.is_told or to == 'failed' then return end
  redis.call('HDEL', row_key(id), 'is_told')
  local why = (row.reason or '') ~= '' and row.reason or row.evidence or ''
  announce('.settled-' .. event_name(id) .. '-' .. row.reminders, threat,
    {type = 'isolation_settled', row = id, edr = row.edr, subject = row.subject, state = to, reason = why,
      dry_run = row.would and true or nil}, '')
end
