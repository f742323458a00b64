"""python -m verify DOCUMENT --keys KEYS.json

DOCUMENT is a file (`-`: standard input) with a signed document: the compact JWS itself, or a JSON object that carries
it as `jws`. KEYS.json is the key set that its issuer publishes at /v1/keys. Exits with 0 where the document is genuine,
with 1 where it is not, and with 2 where that cannot be looked into.
"""

import argparse
import json
import sys
from pathlib import Path

from verify.document import NotGenuine, verify

SAYS = {
    "malformed": ("不是有效的签名文件。", "This is no signed document."),
    "algorithm": ("签名算法不被接受。", "Its algorithm is not accepted."),
    "unknown-key": ("签名密钥不在所给的密钥集中。", "Its key is not in the key set given."),
    "revoked-key": (
        "签名密钥已被吊销，该文件不再可信。",
        "Its key was revoked: the document cannot be trusted any more.",
    ),
    "outside-validity": ("签名时间不在密钥有效期内。", "It claims to be signed when its key did not sign."),
    "forged": (
        "签名不符：内容被改动，或并非由该机关签发。",
        "Its signature does not hold: changed, or not signed by them.",
    ),
}


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m verify", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("document")
    parser.add_argument("--keys", required=True, type=Path)
    given = parser.parse_args()
    try:
        text = sys.stdin.read() if given.document == "-" else Path(given.document).read_text(encoding="utf-8")
        key_set = json.loads(given.keys.read_text(encoding="utf-8"))["keys"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"无法读取 / Cannot be read: {error}", file=sys.stderr)
        return 2
    try:
        found = verify(_token(text), key_set)
    except NotGenuine as refused:
        for sentence in SAYS[str(refused)]:
            print(sentence)
        return 1
    at = f"{found.signed_at:%Y-%m-%d %H:%M:%S} UTC"
    print(f"签名有效：{found.kind}，密钥 {found.kid} 签于 {at}。")
    print(f"Genuine: {found.kind}, signed by key {found.kid} at {at}.")
    print(json.dumps(found.document, ensure_ascii=False, indent=2, sort_keys=True))
    return 0


def _token(text: str) -> str:
    text = text.strip()
    if text.startswith("{"):
        try:
            return str(json.loads(text)["jws"])
        except (ValueError, KeyError, RecursionError):
            return ""
    return text


if __name__ == "__main__":
    sys.exit(main())
