"""All signatures of a Wycheproof file through P384: python -m scripts.p384.wycheproof FILE

FILE is C2SP/wycheproof's testvectors_v1/ecdsa_secp384r1_sha384_p1363_test.json. Whatever the file calls valid
must be accepted. What it calls invalid has no proof, and is tried with the hints of every valid signature of
the same key and with those of runs that fit everything but the signature. Ends with code 1 if one answer is
wrong.
"""

import asyncio
import hashlib
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from scripts.p384.chain import Deployed, deployed
from vouch.attestation.p384 import Signed, curve, prove
from vouch.attestation.p384.errors import NoSuchPoint, WrongSize
from vouch.attestation.p384.proof import attempt, candidates


def number(raw: str) -> bytes:
    return int(raw, 16).to_bytes(48, "big")


def tries(signed: Signed) -> list[bytes]:
    """Hints of runs with the right scalars, where there are any, for each point that r could be the x of.

    The run's sum is then not infinity; its slopes are right all the same.
    """
    made = []
    for carry in (0, 1):
        x = signed.r + carry * curve.N
        y = curve.recover_y(x) if x < curve.P else None
        if y is None or not (0 < signed.s < curve.N and 0 < signed.r < curve.N):
            continue
        for scalars in list(candidates(signed))[:3]:
            found = attempt(signed, (x, y), scalars, must_end=False)
            if found is not None:
                made.append(found.to_bytes())
    return made


async def check(on: Deployed, group: dict[str, Any], counts: Counter[str]) -> list[str]:
    """One line for each wrong answer."""
    key = number(group["publicKey"]["wx"]) + number(group["publicKey"]["wy"])
    wrong, proven, refused = [], [], []
    for test in group["tests"]:
        digest, signature = hashlib.sha384(bytes.fromhex(test["msg"])).digest(), bytes.fromhex(test["sig"])
        name = f"{test['tcId']} ({test['comment']})"
        own: list[bytes] = []
        try:
            signed = Signed.from_bytes(digest, key, signature)
            own = tries(signed) if test["result"] == "invalid" else []
            hints = prove(signed)
        except (NoSuchPoint, WrongSize) as no:
            refused.append((name, digest, signature, own))
            if test["result"] != "invalid":
                wrong.append(f"{name} is {test['result']}, but: {no}")
            continue
        proven.append(hints)
        answer = await on.refusal(on.call(digest, key, signature, hints))
        counts[f"{test['result']}: {'accepted' if answer is None else 'refused'}"] += 1
        if (answer is None) != (test["result"] == "valid"):
            wrong.append(f"{name} is {test['result']}, but: {answer or 'accepted'}")
    for name, digest, signature, own in refused:
        counts["invalid: no proof"] += 1
        for hints in [*own, *proven, bytes(147)]:
            counts["invalid: tried with hints"] += 1
            if await on.refusal(on.call(digest, key, signature, hints)) is None:
                wrong.append(f"{name} is invalid, but accepted")
    return wrong


async def main(groups: list[dict[str, Any]]) -> int:
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    async with deployed() as on:
        for group in groups:
            wrong += await check(on, group, counts)
    for what, count in sorted(counts.items()):
        print(f"{what}: {count}")
    print("\n".join(wrong) or "every answer is right")
    return 1 if wrong else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m scripts.p384.wycheproof FILE")
    sys.exit(asyncio.run(main(json.loads(Path(sys.argv[1]).read_text())["testGroups"])))
