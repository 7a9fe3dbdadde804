-- A person knows that an isolation is not in effect, and is told of it no more. ARGV: row id, by whom, why, their sealed word. Returns '', or why not.
-- The isolation goes on.
local id, by, why = ARGV[1], ARGV[2], ARGV[3]
local row = get(id, 'state', 'verb', 'threat', 'acknowledged_by', 'acknowledged_why')
if not row.state then return 'no such row' end
if row.verb and row.verb ~= 'isolate' then return 'is no isolation: nobody is reminded of it' end
if TERMINAL[row.state] then return 'is ' .. row.state .. ': only an isolation that is still open can be acknowledged' end
if row.acknowledged_by then
  local is_repeated = row.acknowledged_by == by and row.acknowledged_why == why -- the same call again: its first reply was lost
  return is_repeated and '' or 'is acknowledged already, by ' .. row.acknowledged_by
end
redis.call('HSET', row_key(id), 'acknowledged_by', by, 'acknowledged_why', why, 'acknowledged_at', now)
redis.call('ZREM', P .. 'uncontained', id)
keep_word(id, ARGV[4])
note(row.threat, id, 'acknowledged by ' .. by .. ': ' .. why)
return ''
