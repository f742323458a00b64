"""python -m deploy.local.issuer serve | people | token PERSON | secret CLIENT | rotate | withdraw KID"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from deploy.local import issuer
from deploy.local.issuer import keys
from deploy.local.issuer.server import CHECKOUT, Issuer
from deploy.local.processes import LocalStackError


def serve(own: Issuer, _name: str) -> None:
    from deploy.local.issuer.app import run  # a web server, which no other command needs

    run(own)


def people(_own: Issuer, _name: str) -> None:
    for one in issuer.people().values():
        print(f"{one.subject:<20} {' '.join(one.roles):<18} {one.department or '':<18} {one.zh} / {one.en}")


def token(own: Issuer, name: str) -> None:
    print(own.token(name))


def secret(own: Issuer, name: str) -> None:
    found = keys.read(own.folder).secrets.get(name)
    if found is None:
        raise LocalStackError(f"{name!r} is no client with a secret.")
    print(found)


def rotate(own: Issuer, _name: str) -> None:
    print(f"{keys.rotate(own.folder)} signs from now on.")


def withdraw(own: Issuer, name: str) -> None:
    keys.withdraw(own.folder, name)
    print(f"{name} is published no more.")


COMMANDS = {
    "serve": (serve, None, "answer until the end; `python -m deploy.local start` does this in the background"),
    "people": (people, None, "list the demo people"),
    "token": (token, "person", "print an access token for one of them"),
    "secret": (secret, "client", "print the secret of a client that is a program (city)"),
    "rotate": (rotate, None, "let a new key sign; the old one stays published"),
    "withdraw": (withdraw, "kid", "publish an old key no more"),
}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.local.issuer", description=issuer.__doc__)
    parser.add_argument("--folder", type=Path, default=CHECKOUT / ".local" / "issuer", help="where keys and port are")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, (_, argument, text) in COMMANDS.items():
        one = commands.add_parser(name, help=text)
        if argument:
            one.add_argument("name", metavar=argument.upper())
    given = parser.parse_args(arguments)
    try:
        COMMANDS[given.command][0](issuer.in_folder(given.folder.resolve()), getattr(given, "name", ""))
    except LocalStackError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
