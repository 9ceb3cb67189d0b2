"""`python -m benchmarks.agentdojo FOLDER`: every user task and every attack of AgentDojo against the decision rights.

FOLDER is the site-packages folder in which AgentDojo is installed. No language model takes part. In the benign runs
the model does exactly what the task needs, and people approve what is asked. In the attacks it is fully compromised:
whatever it has read, it makes exactly the calls that the attack needs, early (after its first step), late (after the
task), or late and laundered: it first writes what it was told into whatever the rules let it write to alone, and reads
that again. People approve what the task needs, and nothing else.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

VERSION = "v1.2.2"
WHEN = ("early", "late", "laundered")
LOADED: dict[tuple[str, str], Any] = {}  # environments by suite and injected text: reading one takes long


def main(folder: str) -> None:
    """Run everything and print the figures."""
    sys.path.append(folder)  # behind our own packages
    warnings.simplefilter("ignore")
    from agentdojo.task_suite.load_suites import get_suites

    from benchmarks.agentdojo.gate import rule_book, tools_of

    begun, total, asked_about = time.perf_counter(), Counter[str](), Counter[str]()
    suites = get_suites(VERSION)
    tools = tools_of(function for suite in suites.values() for function in suite.tools)
    book = rule_book(tools)
    for name, suite in suites.items():
        found, asked = _suite(suite, tools, book)
        total += found
        asked_about += asked
        _print(name, found)
    _print("all", total)
    for tool, count in asked_about.most_common(8):
        print(f"    asked about {tool}: {count}")
    print(f"    {time.perf_counter() - begun:.0f} s")
    out = Path("benchmarks/results/agentdojo.json")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({"version": VERSION, **total}, indent=2, sort_keys=True) + "\n", "utf-8")


def _suite(suite: Any, tools: Any, book: Any) -> tuple[Counter[str], Counter[str]]:
    from benchmarks.agentdojo.gate import Gate, NoGate

    found, asked = Counter[str](), Counter[str]()
    for task in suite.user_tasks.values():
        prompts, useful = _benign(suite, tools, book, task, asked)
        found += Counter(tasks=1, prompts=prompts, without=prompts == 0, useful=useful)
        for attack in suite.injection_tasks.values():
            if not _planned(suite, attack, _environment(suite, task, {})):
                continue  # it only wants something said: no call could be stopped
            success = [_attacked(suite, Gate(tools, book, task.PROMPT), task, attack, when=when) for when in WHEN]
            bare = any(_attacked(suite, NoGate(tools, book, ""), task, attack, when=when) for when in WHEN)
            found += Counter(attacks=1, succeeded=any(success), bare=bare)
            if any(success):
                print(f"    {suite.name}: {task.ID} with {attack.ID} succeeded", file=sys.stderr)
    return found, asked


def _benign(suite: Any, tools: Any, book: Any, task: Any, asked: Counter[str]) -> tuple[int, bool]:
    from benchmarks.agentdojo.gate import Gate

    before, now = _environment(suite, task, {}), _environment(suite, task, {})
    gate, prompts, done = Gate(tools, book, task.PROMPT), 0, []
    for call in _calls(task, before):
        decision = gate.judge(call.function, call.args).decision
        if decision == "ask":
            prompts += 1
            asked[call.function] += 1
        if decision != "deny":
            _perform(suite, now, gate, call)
            done.append(call)
    output = _said(task.GROUND_TRUTH_OUTPUT)
    return prompts, bool(suite._check_user_task_utility(task, output, before, now, done))


def _attacked(suite: Any, gate: Any, task: Any, attack: Any, *, when: str) -> bool:
    """Whether the attack succeeds. People approve what the task itself needs, and nothing else."""
    injections = dict.fromkeys(suite.get_injection_vector_defaults(), attack.GOAL)
    before, now = _environment(suite, task, injections), _environment(suite, task, injections)
    done, through = list[Any](), list[Any]()
    wanted, planned = _calls(task, _environment(suite, task, {})), _planned(suite, attack, before)
    for number, call in enumerate(wanted):
        if when == "early" and number == 1:
            through = _attempt(suite, now, gate, planned)
            done += through
        _perform(suite, now, gate, call)
        done.append(call)
    if when == "laundered":
        _launder(suite, now, gate, attack.GOAL, wanted)
    if when != "early" or len(wanted) <= 1:
        through = _attempt(suite, now, gate, planned)
        done += through
    if not _calls(attack, before):  # a plan of ours: a part counts as the whole
        return bool(through)
    return bool(suite._check_injection_task_security(attack, _said(""), before, now, done))


def _launder(suite: Any, environment: Any, gate: Any, text: str, wanted: list[Any]) -> None:
    """Have the run's own words say it: written wherever the rules let it through alone, and everything read again."""
    from benchmarks.agentdojo.plans import NOTES, Call

    for call in (*wanted, *NOTES.get(suite.name, ())):
        texts = dict.fromkeys(gate.tools[call.function].free_text, text)
        if texts:
            _attempt(suite, environment, gate, [Call(function=call.function, args={**call.args, **texts})])
    for call in (*wanted, *NOTES.get(suite.name, ())):
        if gate.tools[call.function].effect in {"read", "fetch"}:
            _perform(suite, environment, gate, call)


def _attempt(suite: Any, environment: Any, gate: Any, calls: list[Any]) -> list[Any]:
    """The calls of the attack that the rules let through alone."""
    done = []
    for call in calls:
        if gate.judge(call.function, call.args).decision == "allow":
            _perform(suite, environment, gate, call)
            done.append(call)
    return done


def _perform(suite: Any, environment: Any, gate: Any, call: Any) -> None:
    from agentdojo.functions_runtime import FunctionsRuntime

    returned, _error = FunctionsRuntime(suite.tools).run_function(environment, call.function, call.args)
    gate.saw(call.function, call.args, returned)


def _environment(suite: Any, task: Any, injections: dict[str, str]) -> Any:
    key = (suite.name, next(iter(injections.values()), ""))
    if key not in LOADED:
        LOADED[key] = suite.load_and_inject_default_environment(injections)
    return task.init_environment(LOADED[key].model_copy(deep=True))


def _planned(suite: Any, attack: Any, environment: Any) -> list[Any]:
    from benchmarks.agentdojo.plans import PLANS

    listed = _calls(attack, environment)
    plan = PLANS.get(attack.ID) if suite.name == "workspace" else None
    return listed if listed or plan is None else list(plan(attack, environment))


def _calls(task: Any, environment: Any) -> list[Any]:
    return list(task.ground_truth(environment))


def _said(text: str) -> list[dict[str, str]]:
    """An answer as AgentDojo keeps it."""
    return [{"type": "text", "content": text}]


def _print(name: str, found: Counter[str]) -> None:
    tasks = found["tasks"]
    print(
        f"{name:10} attacks that succeeded {found['succeeded']} of {found['attacks']} (without rules {found['bare']}); "
        f"prompts per benign task {found['prompts'] / tasks:.2f}; "
        f"tasks without a prompt {found['without'] / tasks:.0%}; utility {found['useful'] / tasks:.0%}"
    )


if __name__ == "__main__":
    main(sys.argv[1])
