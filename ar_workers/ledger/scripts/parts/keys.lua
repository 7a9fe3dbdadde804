-- The key schema, and how a row is read. Every script has this, the clock, what `domain` says (see ../../constants.py), and
-- `finish`; it names what else it uses in its first line. Each script is the body of a function.
--
-- KEYS[1] is the customer's `due`; all other keys are derived from its prefix `ar:{customer}:`, whose braces are
-- the Redis Cluster hash tag: one script touches one slot. Times are milliseconds of this server's clock.
--
--   due                    zset    what the sweep rings: row id by when, and behind the millisecond who of those goes first
--   due:first              zset    the same of what it looks at first: `event/ID`, and rows that isolate or release
--   event:ID               hash    digest(its checksum *) json seal(of what is published) state(accepted|planned|failed) at attempts reason threat
--   threats                zset    threat id by acceptance
--   threat:ID              hash    json accepted_at open(rows that are not settled) closed(why) closed_at(when that occurred)
--                                  closed_as_of(as of when its source said so, if that closed it); standing(the type of the newest
--                                  event in which a source said how it stands) standing_at(as of when)
--                                  thread:REMOTE(reference of the first message that this receiver accepted)
--   threat:ID:rows         zset    row id by position in the plan
--   threat:ID:timeline     list    `ms row-id text` per move
--   threat:ID:packed       string  rows and timeline of a compacted threat, as the client wrote them
--   row:ID                 hash    what NewRow has, and: state reason threat waits epoch fence lease_until was owner begun
--                                  begun_at looked_at attempts looks crashes next_at deadline generation(raised by each requeue)
--                                  blanks(looks in a row that showed nothing of an accepted order)
--                                  hindered(what its last visits met in a row that may pass by itself) hindered_at(since when)
--                                  generations(its repeats *: how often it was justified anew) latest(id of the last of them)
--                                  receipt reference evidence created_at performed_at settled_at cancel(why it is called off) held_by held_at
--                                  reopened(1: its threat was closed and reopened while it was not settled)
--                                  cause(why it failed, by kinds)
--                                  dry(1: the EDR is never asked for it) would(1: skipped for no other reason)
--                                  undecided(1: cancelled because nobody decided in time)
--                                  approved(guards that a person has opened, comma after each) approvals(a sealed word for each, a line
--                                  each), decisions(likewise of all else that a person said of it); seal(of what decides what is done),
--                                  planned_for(the threat that it was planned and sealed for, once it was left to another);
--                                  groups(JSON: in whose shares it was counted)
--                                  shared(ids of other threats that want it too, comma after each)
--                                  of a compacted threat only: state threat latest generations would undecided epoch
--                                  of a delivery: has_fallback, digest(the row it is sent with; '' alone), digest_at
--                                  of an isolation: watch(ms until people are told that it is not in effect; not there for never),
--                                  reminders(so many told), steps(of them since a person last asked for it), is_told(1 while those who
--                                  were told have not been told of its end), acknowledged_by acknowledged_why acknowledged_at
--   row:ID:gathered        list    ids of the deliveries that this one is sent for, its own among them
--   digest:RECEIVER/KIND   hash    ends count carrier: the window in which deliveries are counted
--   row:ID:frees           list    ids of the rows that wait for this one, whose `frees` is set then
--   lane:LANE              hash    owner, held(rows), until(the end of its lease): the visit that works on the endpoint now
--   lane:LANE:queue        zset    rows that found the lane busy, by when they came
--                                  LANE is an endpoint at its EDR, or `tenant/` and a pair: an order for the whole tenant, and its undo
--   undone:VERB:CHECKSUM   hash    generation(the epoch *: raised by each undo, so that an older order can never re-apply)
--                                  released_by(who asked last)
--   endpoint:LANE          hash    generation(its epoch *: raised by each release, likewise)
--                                  released_by(who asked last); shown(isolate|release, as the EDR last showed it) shown_at
--                                  evidence; and of when it was first shown isolated: since threat host is_ours(0: before we asked)
--   isolated               zset    lane by since when its endpoint is shown isolated
--   indexed                hash    `isolated` -> 1 once that index has what versions before it knew
--   uncontained            zset    row id of each open isolation by when people are told next that it is not in effect
--   remote:NAME            hash    an EDR or a receiver. rates(`calls:ms,...`) and per rate n: tokens n, at n;
--                                  blocked_until(as it asked), failures(in a row), open_until(the breaker), slot(next turn)
--   remote:NAME:busy       zset    visit (owner) by the end of its lease; `:urgent` behind it for isolations and releases
--   remote:NAME:busy:rows  hash    visit -> how many rows it still holds; `:urgent` before `:rows` likewise
--   remote:NAME:queue      zset    rows that found it busy, by when they came; likewise
--   isolations, bans       zset    row id by when it was begun: the blast radius of the last hour, and of the last day;
--                                  `:dry` behind it for what is only rehearsed, and `:of:EDR/GROUP` for those of one remediate group
--   group:EDR/GROUP        string  how many endpoints a remediate group has, or how many at least, as the EDR showed it; for a day
--   settled                zset    threat id by when its last row was settled
--   paused                 hash    kill switch: `*`, `edr:NAME` or `verb:NAME` -> JSON: by, reason, since, until(where it has an end), words
--                                  (as its rows say them); of versions before 0.5 the reason alone. That of all customers is
--                                  `ar:paused`, which only the client can read: it lies in another slot. JSON and words have the seal
--                                  of who closed it; `resumed SCOPE` is the sealed word of who opened the last one
--   held                   set     ids of held rows
--   holds                  hash    GUARD[-CAP][-dry] and a blank before: next(when people are told again of all that it holds) steps(how
--                                  often they were, since there was anything) told(events written of it, ever)
--   cursors                hash    feed -> how far it was read, in the feed's own words; `cursors:seals` its seal
--   refused                hash    feed -> records that could not be read and were not kept either: there were too many
--   refused:FEED           hash    record that could not be read, by a checksum -> `ms kind JSON`, ms being when it first was refused
--   refused:FEED:kinds     hash    kind of reason -> since when, as people were told of it
--   refused:FEED:mark:KEY  string  of a record that is not kept: dropped (it is counted) or forgotten (a person has looked); for days
--   moves                  list    JSON per move that nobody has chained yet: [ms, threat or '', row id, text, who moved it or '', evidence];
--                                  of a kill switch the row is `switch/SCOPE`. Those of all customers are the customer `_everyone`'s
--   moves:taken            string  how many were taken out of it before: the number of its first
--   moves:keeper           hash    who(the folder that has the chain), at(when it last took some)
--   once                   set     what has been told once and not been forgotten
-- * These are stored under the names that versions 0.1 and 0.2 gave them, so that a ledger which they wrote stays readable.
-- Beside them, in other slots, the client keeps `ar:customers` (set), `ar:paused` (hash, as `paused`), `ar:tick:NAME`,
-- `ar:first:NAME` (who asked first by it) and `ar:format`. Who may write what stands in ../../../domain/redis_users.py.
local due, due_first = KEYS[1], KEYS[1] .. ':first'
local P = string.sub(due, 1, -4)

local function row_key(id) return P .. 'row:' .. id end

-- Fields of a hash by their names; what is not there is nil.
local function fields_of(key, ...)
  local names, values, found = {...}, redis.call('HMGET', key, ...), {}
  for n = 1, #names do found[names[n]] = values[n] or nil end
  return found
end

local function get(id, ...) return fields_of(row_key(id), ...) end

-- A person's sealed word on a row is kept with it, whatever becomes of the row.
local function keep_word(id, word)
  if word ~= '' then redis.call('HSET', row_key(id), 'decisions', (get(id, 'decisions').decisions or '') .. word .. '\n') end
end
