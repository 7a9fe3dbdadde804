"""A kept list of defects of the ledger's scripts: each is one that somebody could write."""

from __future__ import annotations

from typing import NamedTuple

FOLDER = "ar_workers/ledger/scripts"


class Mutant(NamedTuple):
    """A line of a script, and what stands in its place."""

    script: str
    line: str
    broken: str

    @property
    def path(self) -> str:
        return f"{FOLDER}/{self.script}.lua"

    @property
    def name(self) -> str:
        """As it is printed."""
        return f"{self.script}.lua: {self.line!r} -> {self.broken!r}"

    @property
    def key(self) -> tuple[str, str]:
        """What its reason is kept under."""
        return self.script, self.line

    def text(self, whole: str) -> str:
        """The script with the defect."""
        if self.line not in whole:
            raise SystemExit(f"{self.script}.lua has no line {self.line!r} any more: mend tests/mutants/scripts.py")
        return whole.replace(self.line, self.broken, 1)


MUTANTS = (
    Mutant("parts/guards", "now - CAP_WINDOWS[cap]", "now - 10 * CAP_WINDOWS[cap]"),
    Mutant("parts/guards", "and not redis.call('ZSCORE', key, id)", ""),
    Mutant("parts/guards", "return size >= most", "return size > most"),
    Mutant("parts/guards", "(dry and ':dry' or '')", "''"),
    Mutant("parts/guards", "if dry then size = size + counted(cap, key) end", ""),
    Mutant("parts/guards", "counted(cap, counter_of(cap, nil, group))", "counted(cap, counter_of(cap, dry, group))"),
    Mutant("parts/guards", "if not is_approved(row.approved, 'blast_radius') then", "if not row.approved then"),
    Mutant("parts/guards", "(group and ':of:' .. group or '')", "''"),
    Mutant("parts/guards", "    count(id, cap, row.dry, group)\n", ""),
    Mutant("parts/guards", "if groups[1] then redis.call('HSET', row_key(id), 'groups', cjson.encode(groups)) end", ""),
    Mutant("parts/guards", "redis.call('ZREM', counter_of(cap, dry, group), id)", "local _ = group"),
    Mutant("parts/guards", "type(endpoint) == 'table' and endpoint.groups", "endpoint and endpoint.groups"),
    Mutant("parts/guards", "if edr == '' or GIVES_BACK[verb] then return end", "if edr == '' then return end"),
    Mutant("parts/guards", "if words then return {words, 'everyone ' .. scope} end", ""),
    Mutant("parts/guards", "return pauses[text], ends and ends <= now", "return pauses[text], false"),
    Mutant("parts/guards", "if string.sub(text, 1, 1) ~= '{' then return {reason = text} end", ""),
    Mutant("parts/guards", "is_whole = is_whole and type(pause[name]) == kind", "is_whole = is_whole"),
    Mutant("parts/guards", "and (pause['until'] == nil or type(pause['until']) == 'number')", ""),
    Mutant("parts/guards", "redis.call('HDEL', key, found[n])", ""),
    Mutant("parts/guards", "if scope then return closed(read_json(everyone)[scope], scope, '') end", "if scope then return end"),
    Mutant("parts/undos", "if tonumber(row.epoch) >= tonumber(kept.generation or '0') then return end", "if true then return end"),
    Mutant("parts/undos", "return pair and 'tenant/' .. pair or ''", "return ''"),
    Mutant("parts/guards", "local called_off = row.cancel or", "local called_off ="),
    Mutant("parts/remotes", "local MOST_FAILURES = 5", "local MOST_FAILURES = 6"),
    Mutant("parts/remotes", "SHORTEST_OPEN, LONGEST_OPEN = 5000, 30000", "SHORTEST_OPEN, LONGEST_OPEN = 5000, 300000"),
    Mutant("parts/remotes", "local BURST = 0.25", "local BURST = 0.5"),
    Mutant("parts/remotes", "local RESERVE = 0.2", "local RESERVE = 0"),
    Mutant("parts/remotes", "local VISIT = 4", "local VISIT = 1"),
    Mutant("parts/remotes", "local LEAST_SPACING = 50", "local LEAST_SPACING = 0"),
    Mutant("parts/remotes", "local left = may_use_reserve and 0 or", "local left = false and 0 or"),
    Mutant("parts/remotes", "if row.begun == '1' then return 0 end", ""),
    Mutant("stay_away", "math.max(blocked, now + tonumber(ARGV[2]))", "now + tonumber(ARGV[2])"),
    Mutant("parts/remotes", "redis.call('HSET', remote_key(remote), 'slot', at + math.floor(spacing))", ""),
    Mutant("parts/lanes", "local MOST_PASSED_OVER = 20", "local MOST_PASSED_OVER = 2"),
    Mutant("parts/lanes", "if holder.owner ~= owner then return end", ""),
    Mutant("parts/lanes", "if row.state and not unclaimable(row) then", "if row.state then"),
    Mutant("parts/moves", "if to == 'failed' or to == 'held' then raise(id, threat, to, reason) end", ""),
    Mutant("parts/events", "if redis.call('EXISTS', key) == 1 then return end", ""),
    Mutant("parts/moves", "(to == 'held' and '-' .. row.held_by or '')", "''"),
    Mutant("parts/moves", "count_open(threat, -1)", ""),
    Mutant("parts/moves", "return row.state == 'leased' and row.fence == fence", "return row.state == 'leased'"),
    Mutant("parts/finish", "local LONGEST_TIMELINE = 2000", "local LONGEST_TIMELINE = 20000"),
    Mutant("parts/finish", "return goes_first and due_first or due", "return due"),
    Mutant("parts/finish", "redis.call('ZREM', P .. 'settled', threat)", ""),
    Mutant("begin", "if tonumber(row.lease_until) - now < least then return 'stale' end", ""),
    Mutant("begin", "if lane ~= '' then leave_lane(lane, row.owner, 1, called) end", ""),
    Mutant("claim", "if failures >= MOST_FAILURES then", "if false then"),
    Mutant("claim", "if is_others_lane(row.works_in) then", "if false then"),
    Mutant("claim", "and (tonumber(holder['until']) or 0) > now", ""),
    Mutant("claim", "if from == 'pending' or undone_since(id, row) then", "if from == 'pending' then"),
    Mutant("claim", "from = (row.was == 'pending' and row.begun == '1') and 'unknown' or row.was", "from = row.was"),
    Mutant("claim", "is_lost and 0 or now", "now"),
    Mutant("claim", "if not is_lost then put_off", "if true then put_off"),
    Mutant("conclude", "or row.fence ~= found.fence", ""),
    Mutant("conclude", "if not row.performed_at then set('performed_at', now) end", "set('performed_at', now)"),
    Mutant("conclude", "failed = true}", "failed = nil}"),
    Mutant("conclude", "and (row.digest or '') == ''", ""),
    Mutant("conclude", "or (to == 'held' and row.was == 'pending' and (row.attempts or '0') == '0')", ""),
    Mutant("conclude", "then uncount(found.id, row.verb, row.dry) end", "then local _ = nil end"),
    Mutant("begin", "then uncount(id, row.verb, row.dry) end", "then local _ = nil end"),
    Mutant("claim", "shares_of(row.order, shares) or {}", "{}"),
    Mutant("conclude", "and not (row.dry and found.would == '1')", ""),
    Mutant("parts/endpoints", "'shown', shown, 'shown_at', now", "'shown_at', now"),
    Mutant("conclude", "redis.call('HDEL', key, 'failures', 'open_until')", "redis.call('HDEL', key, 'open_until')"),
    Mutant("record", "if new.asked_by ~= '' then redis.call('HSET', key, 'released_by', new.asked_by) end", ""),
    Mutant("record", "and not (is_reopened or is_unbelieved or is_anew)", ""),
    Mutant("record", "or last.would and new.dry == '0'", ""),
    Mutant("record", "is_reopened or is_unbelieved or is_anew", "is_reopened or is_anew"),
    Mutant("record", "redis.call('HSETNX', row_key(id), 'planned_for', threat)", ""),
    Mutant("record", "'seal', new.seal,", ""),
    Mutant("claim", "row.planned_for or row.threat", "row.threat"),
    Mutant("claim", "row.seal or '', row.approvals or ''", "row.seal or '', ''"),
    Mutant("record", "GIVES_BACK[new.verb] or is_dry_event or", "GIVES_BACK[new.verb] or"),
    Mutant("record", "if UNDOES[new.verb] and new.dry == '0' then", "if UNDOES[new.verb] then"),
    Mutant("record", "or undone_since(latest, last)", ""),
    Mutant("record", "or last.cancel or", "or"),
    Mutant("record", "if new.undoes ~= '' and was_never_asked(new.undoes) then", "if false then"),
    Mutant("compact", "if row.would then redis.call('HSET', row_key(id), 'would', 1) end", ""),
    Mutant("parts/moves", "if row.dry then fields.dry_run = true end", ""),
    Mutant("record", "elseif row.kind == 'action' and not GIVES_BACK[row.verb] then", "elseif row.kind == 'action' then"),
    Mutant("record", "is_reopened = tonumber", "is_reopened = nil == tonumber"),
    Mutant("record", "is_told and as_of or occurred", "occurred"),
    Mutant("record", "if row.threat == threat and row.cancel == closed then", "if false then"),
    Mutant("conclude", "return redis.call('HGET', row_key(id), 'reopened') == '1'", "return false"),
    Mutant("conclude", "'its threat was reopened', '1', ''", "'its threat was reopened', '0', ''"),
    Mutant("record", "or string.find(',' .. sharing, ',' .. threat .. ',', 1, true)", ""),
    Mutant("accept", "and is_newer and 'turned'", "and 'turned'"),
    Mutant("accept", "told.standing ~= standing and is_newer", "is_newer"),
    Mutant("record", "count_open(heir, 1)", ""),
    Mutant("renew", "if tonumber(row.lease_until) <= now then return 0 end", ""),
    Mutant("renew", "redis.call('HSET', lane, 'until', now + lease)", ""),
    Mutant("requeue", "'cancel', 'approved', 'approvals')", "'cancel')"),
    Mutant("requeue", "if scope then return", "if false then return"),
    Mutant("resume", "elseif comes_back(row.held_by) then", "else"),
    Mutant("resume", "if scope ~= '' then return held_by == scope end", "if scope ~= '' then return is_switch(held_by) end"),
    Mutant("resume", "if not is_switch(held_by) then return false end", ""),
    Mutant("resume", "not is_closed(held_by, everyone)", "true"),
    Mutant("reword", "redis.call('HSET', row_key(id), 'reason', words)", ""),
    Mutant("reword", "and row.held_by == held_by then", "then"),
    Mutant("hold", "if row.state ~= 'held' or not is_guard(row.held_by) then return end", "if row.state ~= 'held' then return end"),
    Mutant("hold", "if not row.held_at then redis.call('HSET', row_key(id), 'held_at', now) end", ""),
    Mutant("hold", "if life and since + life <= now then", "if life and since + life < now then"),
    Mutant("hold", "if left <= 0 then return end", ""),
    Mutant("hold", "redis.call('SREM', P .. 'held', id)", "local _ = id"),
    Mutant("hold", "if row.acknowledged_at or", "if"),
    Mutant("hold", "or hold.guard ~= 'blast_radius' and redis.call('ZSCORE', P .. 'uncontained', id) then return end", "then return end"),
    Mutant("hold", ".. (row.dry and '-dry' or '')", ""),
    Mutant("hold", "(cap ~= '' and '-' .. cap or '')", "''"),
    Mutant("hold", "return last and last > now and math.min(at, last) or at", "return at"),
    Mutant("hold", "if at > now then return redis.call('HSET', key, name .. ' next', at) end", ""),
    Mutant("hold", "then redis.call('HDEL', key, field, name .. ' steps') end", "then local _ = field end"),
    Mutant("hold", "redis.call('HSETNX', P .. 'threat:holds', 'accepted_at', now)", "local _ = now"),
    Mutant("hold", ", {'undecided', 1})", ")"),
    Mutant("compact", "if row.undecided then redis.call('HSET', row_key(id), 'undecided', 1) end", ""),
    Mutant("remind", "if row.state == 'held' and row.held_by == 'blast_radius' then", "if false then"),
    Mutant("lapse", "return drop_ended(KEYS[1])", "return {}"),
    Mutant("resolve", "if row.kind == 'action' then return", "if false then return"),
    Mutant("seat", "if count <= most then", "if count < most then"),
    Mutant("seat", "if not ends or ends <= now then", "if not ends then"),
    Mutant("spend", "if blocked > 0 then return blocked end", ""),
    Mutant("compact", "if redis.call('LLEN', timeline) ~= length then return 0 end", ""),
    Mutant("compact", "or row.state == 'failed' then", "then"),
    Mutant("due", "local SHARE_OF_THE_FIRST = 0.75", "local SHARE_OF_THE_FIRST = 1"),
    Mutant("due", "into == lost and SOON or again", "again"),
    Mutant("due", "if (room[row.queue] or 1) <= 0 then return leave_for(AT_ONCE, id) end", ""),
    Mutant("tick", "if (tonumber(redis.call('GET', KEYS[1])) or 0) > now then return 0 end", ""),
    Mutant("move_cursor", "if current ~= expected and current ~= new then return 0 end", ""),
    Mutant("event_failed", "if event.state ~= 'accepted' then", "if false then"),
    Mutant("accept", "if known.digest ~= checksum then return 'conflict' end", ""),
    Mutant("accept", "if known.digest and not is_unbelieved then", "if known.digest then"),
    Mutant("accept", "if is_unbelieved then redis.call('DEL', key) end", ""),
    Mutant("accept", "'seal', seal,", ""),
    Mutant("move_cursor", "redis.call('HSET', P .. 'cursors:seals', feed, seal)", ""),
)
#: Where each script is tested most: tests/ledger/test_NAME.py.
NEAREST = {
    "parts/finish": ("figures", "events", "compaction"),
    "parts/guards": ("figures", "shares", "switches", "pauses", "closings", "requeues"),
    "parts/lanes": ("claims", "figures"),
    "parts/moves": ("ends", "events", "closings"),
    "parts/remotes": ("figures", "remotes"),
    "parts/undos": ("undos", "claims", "closings", "requeues"),
    "accept": ("events",),
    "begin": ("figures", "shares", "leases", "closings"),
    "claim": ("claims", "shares", "leases", "figures", "closings"),
    "compact": ("compaction", "packing"),
    "conclude": ("ends", "shares", "leases", "closings", "deliveries"),
    "due": ("figures", "remotes"),
    "event_failed": ("events",),
    "hold": ("hold_ends",),
    "lapse": ("pauses",),
    "move_cursor": ("cursors",),
    "record": ("events", "closings", "undos"),
    "remind": ("watch", "hold_ends"),
    "renew": ("leases",),
    "requeue": ("requeues",),
    "resolve": ("requeues",),
    "resume": ("switches", "pauses"),
    "reword": ("pauses",),
    "seat": ("deliveries",),
    "spend": ("remotes",),
    "stay_away": ("remotes",),
    "tick": ("cursors",),
}
#: Those that are known to live: {(script, line): reason}.
WHY: dict[tuple[str, str], str] = {}
