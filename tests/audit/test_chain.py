"""A chain: what is written down, what a killed visit leaves, and that nothing can be changed unseen."""

from __future__ import annotations

import hashlib
import json
import stat

import pytest

from ar_workers.audit.chain import ChainFolder
from ar_workers.audit.verifying import verified
from ar_workers.domain.audit import GENESIS, Move, Moves
from ar_workers.domain.errors import RecordUnusable
from ar_workers.seals import Seals
from tests.audit.building import NOW, a_chain, moves
from tests.keys import SEALS, Everybody, a_ring


def look(folder, **more):
    return verified(folder, "acme", **({"seals": SEALS} | more))


def words(found):
    return [f"{place}: {what}" for place, what in found.findings]


def the_file(chains):
    (path,) = chains.files("acme")
    return path


def links(chains):
    return [json.loads(line) for path in chains.files("acme") for line in path.read_bytes().splitlines()]


def test_what_is_chained_is_as_it_was_written(tmp_path):
    a_chain(tmp_path, 100)
    found = look(tmp_path)
    assert (words(found), found.links, found.unsealed) == ([], 101, 0)


def test_a_link_is_canonical_json_and_names_the_sha256_of_the_line_before(tmp_path):
    lines = the_file(a_chain(tmp_path, 2)).read_bytes().splitlines()
    assert [json.dumps(json.loads(each), sort_keys=True, separators=(",", ":")).encode() for each in lines] == lines
    assert [json.loads(each)["prev"] for each in lines] == [GENESIS, *(hashlib.sha256(each).hexdigest() for each in lines[:-1])]


def test_the_files_are_their_owners_alone(tmp_path):
    chains = a_chain(tmp_path / "made")
    assert [stat.S_IMODE(each.stat().st_mode) for each in (the_file(chains), chains.folder / "acme" / "anchor")] == [0o600, 0o600]
    assert stat.S_IMODE(chains.folder.stat().st_mode) == 0o700


def test_moves_that_the_ledger_gives_again_are_chained_once(tmp_path):
    chains = a_chain(tmp_path, 10)
    assert chains.append("acme", moves(10)) == []
    assert ChainFolder(tmp_path, SEALS).append("acme", Moves(5, NOW, moves(10, 5).moves)) == []
    assert [each["number"] for each in links(chains)] == [None, *range(15)]
    assert words(look(tmp_path)) == []


@pytest.mark.parametrize("kept", [0, 1, 200, 1000])
def test_a_visit_that_was_killed_while_it_wrote_is_gone_on_with(tmp_path, kept):
    chains = a_chain(tmp_path, 10)
    anchor, before = (tmp_path / "acme" / "anchor").read_bytes(), the_file(chains).read_bytes()
    chains.append("acme", moves(10, 10))
    whole = the_file(chains).read_bytes()
    the_file(chains).write_bytes(whole[: len(before) + kept])
    (tmp_path / "acme" / "anchor").write_bytes(anchor)
    assert words(look(tmp_path)) == []
    assert ChainFolder(tmp_path, SEALS).append("acme", moves(10, 10)) == []
    assert the_file(chains).read_bytes() == whole
    found = look(tmp_path)
    assert (words(found), found.unsealed, found.links) == ([], 0, 21)


def test_what_is_not_sealed_yet_is_said(tmp_path):
    chains = a_chain(tmp_path, 10)
    anchor = (tmp_path / "acme" / "anchor").read_bytes()
    chains.append("acme", moves(3, 10))
    (tmp_path / "acme" / "anchor").write_bytes(anchor)
    assert look(tmp_path).unsealed == 3


def test_another_process_that_has_written_meanwhile_is_followed(tmp_path):
    one, other = a_chain(tmp_path, 5), ChainFolder(tmp_path, SEALS)
    other.append("acme", moves(5, 5))
    one.append("acme", moves(5, 10))
    assert [each["number"] for each in links(one)] == [None, *range(15)]
    assert words(look(tmp_path)) == []


def test_a_month_has_a_file_of_its_own_and_the_chain_goes_on(tmp_path):
    at = [1_795_000_000.0]
    chains = ChainFolder(tmp_path, SEALS, now=lambda: at[0])
    chains.append("acme", moves(5))
    at[0] += 40 * 86400
    chains.append("acme", moves(5, 5))
    assert [path.name for path in chains.files("acme")] == ["2026-11.ndjson", "2026-12.ndjson"]
    assert words(look(tmp_path)) == []
    the_oldest = chains.files("acme")[0]
    kept = the_oldest.read_bytes()
    the_oldest.unlink()
    found = look(tmp_path)
    assert (words(found), found.remark) == ([], "it begins with link 7: older files are not here")
    the_oldest.write_bytes(b"".join(kept.splitlines(keepends=True)[2:]))
    assert any("its head was cut off" in each for each in words(look(tmp_path)))


def test_where_a_line_was_changed_is_named(tmp_path):
    path = the_file(a_chain(tmp_path, 10))
    lines = path.read_bytes().splitlines(keepends=True)
    lines[4] = lines[4].replace(b"contained", b"con_ained")
    path.write_bytes(b"".join(lines))
    (found,) = words(look(tmp_path))
    assert found.startswith(f"{path.name}:6: link 6 does not follow link 5")


def test_another_past_that_somebody_chained_without_the_key_is_found(tmp_path):
    a_chain(tmp_path, 10)
    anchor = json.loads((tmp_path / "acme" / "anchor").read_bytes())
    path = the_file(a_chain(tmp_path / "other", 9, seals=Seals(a_ring(), people=Everybody())))
    (tmp_path / "acme" / path.name).write_bytes(path.read_bytes())
    assert "was sealed to link 11, and ends with 10" in str(words(look(tmp_path)))
    forged = json.loads((tmp_path / "other" / "acme" / "anchor").read_bytes())
    (tmp_path / "acme" / "anchor").write_text(json.dumps(forged))
    assert "does not name for audit" in str(words(look(tmp_path)))
    (tmp_path / "acme" / "anchor").write_text(json.dumps({**forged, "seal": anchor["seal"]}))
    assert "its seal does not fit" in str(words(look(tmp_path)))


def test_a_chain_of_another_customer_in_its_place_is_found(tmp_path):
    a_chain(tmp_path, 3)
    a_chain(tmp_path, 3, customer="globex")
    (tmp_path / "acme").rename(tmp_path / "away")
    (tmp_path / "globex").rename(tmp_path / "acme")
    assert "is a link of globex" in str(words(look(tmp_path)))


def test_without_an_anchor_nothing_says_how_far_it_went(tmp_path):
    a_chain(tmp_path, 3)
    (tmp_path / "acme" / "anchor").unlink()
    assert "nothing says how far the chain went" in str(words(look(tmp_path)))


def test_an_end_that_was_copied_elsewhere_must_be_in_the_chain(tmp_path):
    chains = a_chain(tmp_path, 10)
    end = look(tmp_path).head
    chains.append("acme", moves(10, 10))
    assert words(look(tmp_path, seen=(end.seq, end.digest))) == []
    assert "does not contain that end" in str(words(look(tmp_path, seen=(end.seq, "0" * 64))))


def test_a_chain_that_was_cut_back_says_so_for_ever_once_it_goes_on(tmp_path):
    path = the_file(a_chain(tmp_path, 10))
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:5]))
    (remark,) = ChainFolder(tmp_path, SEALS).append("acme", moves(2, 10))[:1]
    assert "was sealed to 11: somebody has cut it" in remark
    assert "the chain says of itself: the file ends at 5" in str(words(look(tmp_path)))


def test_moves_that_were_taken_away_before_they_were_chained_leave_a_gap_that_is_told(tmp_path):
    chains = a_chain(tmp_path, 10)
    (remark,) = chains.append("acme", moves(5, 20))
    assert "moves 10 to 19 are not in this chain" in remark
    assert remark in str(words(look(tmp_path)))
    assert chains.append("acme", moves(5, 25)) == []


def test_a_ledger_that_was_brought_back_from_an_older_copy_is_told_of_once(tmp_path):
    chains = a_chain(tmp_path, 10)
    other = Moves(5, NOW, [Move(number, NOW, "THREAT-9", "acme:isolate:9", "new -> pending") for number in range(5, 8)])
    (remark,) = chains.append("acme", other)
    assert "brought back from an older copy" in remark
    assert chains.append("acme", Moves(8, NOW, moves(2, 8).moves)) == []


def test_what_was_written_behind_the_seal_and_is_not_in_the_ledger_is_told(tmp_path):
    chains = a_chain(tmp_path, 10)
    anchor = (tmp_path / "acme" / "anchor").read_bytes()
    chains.append("acme", moves(3, 10))
    (tmp_path / "acme" / "anchor").write_bytes(anchor)
    (remark,) = ChainFolder(tmp_path, SEALS).append("acme", moves(2, 13))
    assert "what follows move 9 was written and not sealed" in remark


def test_the_anchor_is_signed_anew_after_a_day_though_nothing_has_moved(tmp_path):
    at = [1_795_000_000.0]
    chains = ChainFolder(tmp_path, SEALS, now=lambda: at[0])
    chains.append("acme", moves(3))
    first = chains.anchor("acme")
    chains.append("acme", Moves(3, NOW, []))
    assert chains.anchor("acme") == first
    at[0] += 90_000
    chains.append("acme", Moves(3, NOW, []))
    assert chains.anchor("acme")[:2] == first[:2] != ()
    assert chains.anchor("acme").seal != first.seal


@pytest.mark.parametrize("text", ["\udc80", "a\u2028b", 'quote " and \\', "\x00", "é" * 1000])
def test_whatever_stands_in_a_move_can_be_chained(tmp_path, text):
    chains = ChainFolder(tmp_path, SEALS)
    chains.append("acme", Moves(0, NOW, [Move(0, NOW, "T", "acme:isolate:1", text)]))
    assert ChainFolder(tmp_path, SEALS).append("acme", Moves(0, NOW, [Move(0, NOW, "T", "acme:isolate:1", text)])) == []
    assert words(look(tmp_path)) == []


def test_what_follows_from_a_chain_is_known_to_the_next_process(tmp_path):
    chains = ChainFolder(tmp_path, SEALS)
    told = [
        ("acme:isolate:1", "new -> pending (dry run)", ""),
        ("acme:isolate:2", "waiting", ""),
        ("acme:isolate:3", "new -> pending", ""),
        ("acme:isolate:3", "pending -> done", ""),
        ("acme:isolate:4", "pending -> held: paused: stop", ""),
        ("acme:isolate:4", "still held: paused by kim", ""),
        ("switch/*", "closed: paused", '{"until": 5}'),
        ("switch/verb:isolate", "closed: paused", "old"),
        ("switch/edr:defender", "closed: paused", "{}"),
        ("switch/edr:defender", "resumed by kim", ""),
    ]
    chains.append("acme", Moves(0, NOW, [Move(number, NOW, "T", row, text, "", more) for number, (row, text, more) in enumerate(told)]))
    for each in (chains, ChainFolder(tmp_path, SEALS)):
        known = each.standing("acme")
        assert known.rows == {"acme:isolate:1": "pending", "acme:isolate:2": "waiting", "acme:isolate:4": "held"}
        assert known.switches == {"*": 5.0, "verb:isolate": None}


def test_where_nothing_can_be_written_it_is_said_what_to_do(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordUnusable, match="AR_AUDIT"):
        ChainFolder(tmp_path / "file", SEALS).append("acme", moves(1))
