-- uses: undos
-- What an undo of rows must know of them. ARGV: the threat that wants it; then for each row its id, its lane or '', and the id of its undo.
-- Returns for each {by whom it was taken back since, or ''; the state of that undo, or ''; whether the EDR shows it because we asked for
-- it, 1|0; the other threats, not closed, that want the same, as far as they are told, ...}.
local threat = ARGV[1]
local MOST_TOLD = 20
local IS_OVER = {skipped = true, cancelled = true, failed = true}

local function last_state(name)
  local first = get(name, 'state', 'latest')
  return first.latest and get(first.latest, 'state').state or first.state or ''
end

-- The row of an order, and its repeats: {id, state, threat, shared} of those that nobody has taken back. Of a packed one an epoch is kept
-- unless it is the first.
local function standing(id, verb, lane)
  local base, found = string.match(id, '^[^.]*'), {}
  local repeats = tonumber(get(base, 'generations').generations) or 0
  for n = 1, repeats + 1 do
    local name = n == 1 and base or base .. '.' .. n
    local row = get(name, 'state', 'threat', 'shared', 'epoch')
    local is_there = row.state and not IS_OVER[row.state]
    if is_there and not undone_since(name, {verb = verb, lane = lane, epoch = row.epoch or '0'}) then found[#found + 1] = row end
  end
  return found
end

local function is_open(other)
  return other ~= '' and other ~= threat and redis.call('HEXISTS', P .. 'threat:' .. other, 'closed') == 0
end

local function told(id, lane, undo)
  local verb = string.match(id, '^[^:]*:([^:]*)')
  local words = undone_since(id, {verb = verb, lane = lane, epoch = get(id, 'epoch').epoch or '0'}) or ''
  local is_ours, wanted, is_listed = '0', {}, {}
  for _, row in ipairs(standing(id, verb, lane)) do
    if row.state == 'done' then is_ours = '1' end
    for other in string.gmatch(row.threat .. ',' .. (row.shared or ''), '[^,]+') do
      if #wanted < MOST_TOLD and not is_listed[other] and is_open(other) then
        is_listed[other] = true
        wanted[#wanted + 1] = other
      end
    end
  end
  return {words, words ~= '' and last_state(undo) or '', is_ours, unpack(wanted)}
end

local answers = {}
for n = 2, #ARGV, 3 do answers[#answers + 1] = told(ARGV[n], ARGV[n + 1], ARGV[n + 2]) end
return answers
