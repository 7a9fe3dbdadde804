"""`arctl redis-acl`: the users that a Redis of one's own must have."""

from __future__ import annotations

from pathlib import Path

import click

from ..domain.redis_users import User, grant, hashed, lines
from .connection import home
from .logins import NAME, kept, made, variable
from .output import json_option, print_json_list, say


@click.command("redis-acl")
@click.option("--make", "file", type=click.Path(dir_okay=False, path_type=Path), help="Make the passwords that FILE has not yet, in FILE.")
@click.option("--commands", is_flag=True, help="Print them as commands for `redis-cli`, instead of as a users.acl.")
@click.option("--db", default=0, show_default=True, type=click.IntRange(min=0), help="The number of the database.")
@click.option("--redis-6", "is_old", is_flag=True, help="For Redis 6.2, which knows no keys that are only read: there they may be written.")
@json_option
def redis_acl(file: Path | None, *, commands: bool, db: int, is_old: bool, as_json: bool) -> None:
    r"""Print the users of Redis, with what each may do there: for the users.acl of a server of your own.

    One user for each role, and `default` ended. The server that `arctl up` starts has them by itself. Passwords stand there as
    hashes: of those in FILE, or in AR_HOME/redis.env; where there are none, #SHA256_OF_... stands in their place, for you to fill in.
    FILE is read like a .env, and its owner's alone.

    Exit status 1 if such were printed; no server takes them.

    \b
    Examples: arctl redis-acl --make .env > users.acl
              arctl redis-acl --commands | redis-cli
    """
    logins = made(file) if file else kept(home() / NAME)
    missing = [user for user in User if user not in logins]
    secrets = {user: hashed(logins[user]) if user in logins else f"#SHA256_OF_THE_PASSWORD_OF_{user.upper()}" for user in User}
    printed = lines(secrets, db=db, knows_reading=not is_old)
    if as_json:
        print_json_list([_plain(user, db, text) for user, text in zip(User, printed, strict=False)])
    else:
        for text in printed:
            say(text.replace("user ", "ACL SETUSER ", 1) if commands else text)
    if missing:
        say(f"no passwords of {', '.join(missing)}: --make FILE makes {', '.join(map(variable, missing))}", err=True)
        raise click.exceptions.Exit(1)


def _plain(user: User, db: int, text: str) -> dict[str, object]:
    found = grant(user, db)
    return {
        "user": user, "line": text, "writes": list(found.writes), "reads": list(found.reads), "channels": list(found.channels),
        "commands": sorted(found.commands),
    }  # fmt: skip
