"""Servers with the users of the roles, and what each of them can reach."""

from __future__ import annotations

import redis

from ar_workers.domain.addresses import with_login
from ar_workers.domain.redis_users import User, hashed, lines

#: With all that an address has to quote.
LOGINS = {user: f"pass@word/of:{user}?" for user in User}


def give_users(port, logins=LOGINS, *, ends_default=True, **more):
    """To a server that is there already."""
    with redis.Redis(port=port) as client:
        for line in lines({user: hashed(password) for user, password in logins.items()}, **more)[: None if ends_default else -1]:
            client.execute_command("ACL SETUSER", *line.split()[1:])


def url_of(user, url, logins=LOGINS):
    return with_login(url, user, logins[user])


def refused(url):
    """Who was refused what, as the server kept it; asked as `arctl`."""
    with redis.Redis.from_url(url, decode_responses=True) as client:
        return [f"{each['username']}: {each['reason']} {each['object']}" for each in client.acl_log()]
