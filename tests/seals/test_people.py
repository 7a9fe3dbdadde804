"""`people.toml`: who is known by which key, looked at again, and refused where others could name anybody; and one's own key."""

from __future__ import annotations

import logging

import pytest

from ar_workers.domain.errors import KeyUnusable, NotAllowed
from ar_workers.domain.people import Decision, Person, PersonRole
from ar_workers.seals import keyring_of
from ar_workers.seals.checkup import keys_checks
from ar_workers.seals.people import KEY_NAME, Named, PeopleFile, named_in, own_key, people_of, with_person, without_person
from ar_workers.seals.ring import new_key, public_of, trusted_key
from tests.seals.test_folder import AT, Time


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def people(tmp_path, time):
    return PeopleFile(tmp_path / "people.toml", tmp_path / "home" / KEY_NAME, monotonic=time)


def a_key():
    return trusted_key(new_key(), AT).public


def write(people, *named, text=""):
    for each in named:
        text = with_person(text, each)
    people.path.write_text(text)


def a_person(name="kim", role=PersonRole.ADMIN, key=None):
    return Named(name=name, role=role, key=key or a_key())


def test_where_nobody_is_named_nobody_decides_and_what_to_do_is_said(people):
    people.check()
    assert people.everybody() == []
    with pytest.raises(KeyUnusable, match=r"nobody may decide yet.*`arctl people add NAME --role admin` makes a key of your own"):
        people.me()


def test_who_has_a_key_that_is_named_decides_by_that_name(people):
    write(people, a_person("kim", PersonRole.APPROVER, people.make_key()))
    signed = people.sign(Decision.APPROVE, "kim", b"said")
    assert people.me() == people.by_key(signed.key_id) == Person("kim", PersonRole.APPROVER, signed.key_id)
    assert people.is_signed(signed.key_id, b"said", signed.signature)
    assert not people.is_signed(signed.key_id, b"said otherwise", signed.signature)


def test_a_key_is_made_once_and_is_its_owners_alone(people):
    assert people.make_key() == people.make_key()
    assert people.own.stat().st_mode & 0o777 == 0o600
    assert people.own.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(("role", "decision"), [(PersonRole.VIEWER, Decision.PAUSE), (PersonRole.RESPONDER, Decision.RESUME)])
def test_nobody_signs_what_their_role_does_not_let_them(people, role, decision):
    write(people, a_person("kim", role, people.make_key()))
    with pytest.raises(NotAllowed, match=f"kim is {role}, and may not {decision}"):
        people.sign(decision, "kim", b"said")


def test_nobody_signs_for_somebody_else(people):
    write(people, a_person("kim", key=people.make_key()), a_person("lee"))
    with pytest.raises(KeyUnusable, match="is the key of kim, and not of lee"):
        people.sign(Decision.PAUSE, "lee", b"said")


def test_who_has_no_key_or_an_unknown_one_is_told_what_to_do(people, time):
    write(people, a_person("lee"))
    with pytest.raises(KeyUnusable, match="you have no key .*`arctl keys new`"):
        people.me()
    public = people.make_key()
    with pytest.raises(KeyUnusable, match="names for nobody.*`arctl people add NAME --role responder --key ") as error:
        people.me()
    assert public in str(error.value)


@pytest.mark.parametrize("mode", [0o644, 0o660, 0o604])
def test_a_private_key_that_others_can_reach_is_not_used(people, mode):
    write(people, a_person(key=people.make_key()))
    people.own.chmod(mode)
    with pytest.raises(KeyUnusable, match="can be read or changed by others: chmod 600 it"):
        PeopleFile(people.path, people.own).sign(Decision.PAUSE, "kim", b"said")


@pytest.mark.parametrize("mode", [0o666, 0o620, 0o602])
def test_a_file_that_others_can_write_names_nobody(people, mode):
    write(people, a_person())
    people.path.chmod(mode)
    with pytest.raises(KeyUnusable, match="can be written by others, who could name anybody: chmod 600 it"):
        people.check()


def test_who_is_added_or_taken_out_is_known_so_within_seconds(people, time):
    kim, lee = a_person("kim"), a_person("lee")
    write(people, kim)
    assert people.by_key(lee.person.key_id) is None
    write(people, kim, lee)
    time.passed += 0.3  # an unknown key is looked for at once
    assert people.by_key(lee.person.key_id) == lee.person
    write(people, lee)
    time.passed += 3
    assert people.by_key(kim.person.key_id) is None


@pytest.mark.parametrize("text", ["[[person]", "[[person]]\nname = 1\n", "[[people]]\n", None])
def test_a_file_that_cannot_be_read_any_more_changes_nothing_for_who_has_read_it(people, time, text, caplog):
    write(people, a_person("kim"))
    assert len(people.everybody()) == 1
    if text is None:
        people.path.unlink()
    else:
        people.path.write_text(text)
        with pytest.raises(KeyUnusable, match="is not valid"):
            PeopleFile(people.path, people.own).check()
    time.passed += 3
    assert len(people.everybody()) == 1
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


@pytest.mark.parametrize("name", ["", "kim lee", 'kim"', "-kim", "k\u00efm", "x" * 65, "kim\n"])
def test_a_name_is_short_and_plain(name):
    with pytest.raises(ValueError, match="name"):
        a_person(name)


@pytest.mark.parametrize("key", ["", "no key", "AAAA", "A" * 43 + "="[:0]])
def test_a_key_is_a_whole_public_key(key):
    with pytest.raises(ValueError, match="key"):
        Named(name="kim", role=PersonRole.ADMIN, key=key)


def test_nobody_is_named_twice_and_no_key_is_two_peoples():
    key = a_key()
    text = with_person("", a_person("kim", key=key))
    for name, again in (("Kim", a_key()), ("lee", key)):
        with pytest.raises(ValueError, match="stands there twice"):
            with_person(text, a_person(name, key=again))


def test_all_else_of_the_file_stays_as_it_is():
    lee = a_person("lee")
    text = with_person("# ours\n\n", a_person("kim")) + "# on call\n\n" + with_person("", lee)
    less = without_person(text, "kim")
    assert named_in(less) == (lee,)
    assert less.startswith("# ours")
    replaced = with_person(text, a_person("kim", PersonRole.VIEWER))
    assert {each.name: each.role for each in named_in(replaced)} == {"kim": "viewer", "lee": "admin"}


def test_a_block_that_is_spelled_otherwise_is_left_to_a_person():
    text = f'person = [{{name = "kim", role = "admin", key = "{a_key()}"}}]\n'
    with pytest.raises(ValueError, match="take it out by hand"):
        without_person(text, "kim")


def test_doctor_says_whether_anybody_may_let_pass_what_is_held(people, tmp_path):
    def seen():
        environ = {"AR_HOME": str(tmp_path), "AR_PEOPLE": str(people.path)}
        return next((str(check.light), check.detail) for check in keys_checks(environ) if check.name == "people")

    keyring_of({"AR_HOME": str(tmp_path)}).make()
    write(people, a_person("kim", PersonRole.RESPONDER))
    assert seen()[0] == "warn"
    write(people, a_person("kim", PersonRole.RESPONDER), a_person("lee", PersonRole.APPROVER))
    assert seen() == ("ok", "2 may decide, of whom 1 may approve: lee")
    people.path.chmod(0o666)
    assert seen()[0] == "red"


def test_where_the_file_and_the_key_are(tmp_path):
    assert people_of({"AR_HOME": "/srv/ar"}).place == "/srv/ar/people.toml"
    assert people_of({"AR_HOME": "/srv/ar", "AR_PEOPLE": "/etc/ar/people.toml"}).place == "/etc/ar/people.toml"
    assert str(own_key({"XDG_CONFIG_HOME": "/home/kim/conf"})) == "/home/kim/conf/ar_workers/person.key"
    assert str(own_key({"AR_PERSON_KEY": "/mnt/stick/kim.key", "XDG_CONFIG_HOME": "/x"})) == "/mnt/stick/kim.key"


def test_a_public_key_tells_nothing_of_the_private_one(people):
    people.make_key()
    secret = "".join(people.own.read_text().splitlines()[1:-1])
    assert secret[-20:] not in people.public()
    assert len(public_of(new_key())) == 32
