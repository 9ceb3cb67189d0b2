"""`python -m benchmarks.retail [FOLDER]`: a shop's policy as rules, on the writes of tau2-bench's retail tasks.

FOLDER holds `db.json` and `tasks.json` of that domain; without one a small shop of our own in the same form is used. No
language model takes part. Every write that a task's reference solution makes should be allowed; whatever differs from
one in a single thing that the policy forbids (`mutants`) has to be denied.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.retail.gate import Gate
from benchmarks.retail.mutants import mutants
from benchmarks.retail.shop import TOOLS, Shop, Write

OWN = Path(__file__).parent / "own"
FIND = {"find_user_id_by_email", "find_user_id_by_name_zip"}


def main(folder: Path) -> Counter[str]:
    """Run everything, print the figures and return them."""
    begun, found = time.perf_counter(), Counter[str]()
    records = json.loads((folder / "db.json").read_text("utf-8"))
    for task in json.loads((folder / "tasks.json").read_text("utf-8")):
        found += _task(Shop.of(records), task)
    mutated = f"{found['denied']} of {found['mutated']}"
    print(f"reference writes allowed {found['allowed']} of {found['writes']}; mutated writes denied {mutated}")
    print(f"    {time.perf_counter() - begun:.0f} s")
    return found


def _task(shop: Shop, task: dict[str, Any]) -> Counter[str]:
    found, customers = Counter[str](), _customers(shop, task)
    for action in task["evaluation_criteria"]["actions"] or ():
        if action["name"] not in TOOLS:
            continue
        write = Write(tool=action["name"], arguments=action["arguments"])
        verdict = _gate(shop, customers).judge(write.tool, shop.told(write))
        found += Counter(writes=1, allowed=verdict.decision == "allow")
        if verdict.decision != "allow":
            print(f"    task {task['id']}: {write.tool} {shop.told(write)}: {verdict.decision}")
            continue
        for mutant in mutants(shop, write, customers[-1]):
            gate = _gate(shop, [mutant.customer] if mutant.customer else [])
            denied = gate.judge(mutant.write.tool, mutant.shop.told(mutant.write)).decision == "deny"
            found += Counter(mutated=1, denied=denied)
            if not denied:
                print(f"    task {task['id']}: {mutant.what} was let through: {mutant.write}")
        shop.do(write)
    return found


def _customers(shop: Shop, task: dict[str, Any]) -> list[str]:
    """Whom the task is about: those whom its reference solution looks up, or whom the customer says they are."""
    actions = task["evaluation_criteria"]["actions"] or ()
    asked = [action["arguments"] for action in actions if action["name"] in FIND]
    if asked:
        return [one for words in asked for one in shop.find(words)]
    told = task["user_scenario"]["instructions"]["known_info"]
    return [one for one in shop.users if _is_told(shop, one, told)]


def _is_told(shop: Shop, user_id: str, told: str) -> bool:
    user = shop.users[user_id]
    name, code = f"{user['name']['first_name']} {user['name']['last_name']}", user["address"]["zip"]
    return user["email"] in told or (name in told and code in told)


def _gate(shop: Shop, customers: list[str]) -> Gate:
    """A conversation in which these customers said who they are, and were looked up."""
    said = [_words(shop, one) for one in customers]
    gate = Gate(" ".join(f"I am {' '.join(words.values())}." for words in said))
    for words in said:
        gate.looked_up(words, shop.find(words))
    return gate


def _words(shop: Shop, user_id: str) -> dict[str, str]:
    user = shop.users[user_id]
    name = user["name"]
    return {"first_name": name["first_name"], "last_name": name["last_name"], "zip": user["address"]["zip"]}


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else OWN)
