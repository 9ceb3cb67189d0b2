"""YAML that people write: what may stand in it, and which line an error names."""

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from kernel.errors import CharterError
from kernel.types import Frozen
from kernel.yaml_lines import load, parse


class Approver(Frozen):
    who: tuple[str, ...]
    need: int = 1


class Rule(Frozen):
    id: str
    decision: Literal["allow", "ask", "deny"] = "ask"
    when: str = Field(default="", alias="from")
    approval: Approver | None = None


class File(Frozen):
    rules: tuple[Rule, ...]


def problems(text: str) -> list[str]:
    with pytest.raises(CharterError) as caught:
        parse(load("f.yaml", text), File)
    return caught.value.problems


def test_plain_values_are_read_as_yaml_1_2() -> None:
    text = "{a: on, b: no, c: 12:00, d: 007, e: 1.5, f: true, g: null, h: ~, i: -3, j: 1e999, k: '1', l: 2026-03-01}"
    assert load("f.yaml", text).value == {
        "a": "on",
        "b": "no",
        "c": "12:00",
        "d": "007",
        "e": 1.5,
        "f": True,
        "g": None,
        "h": None,
        "i": -3,
        "j": "1e999",
        "k": "1",
        "l": "2026-03-01",
    }


def test_every_part_knows_its_line() -> None:
    located = load("f.yaml", "rules:\n  - id: a\n    approval:\n      who: [x,\n        y]\n", first_line=3)
    assert located.line(("rules", 0, "id")) == 4
    assert located.line(("rules", 0, "approval", "who", 1)) == 7
    assert located.line(("rules", 0, "approval", "nothing", "here")) == 5
    assert located.problem(("rules", 0), "no", "wo", ["who"]) == "f.yaml:4: no (did you mean 'who'?)"


def test_each_fault_is_named_with_its_line_and_what_was_probably_meant() -> None:
    assert problems("rules:\n- id: 12\n  aproval: {who: [a]}\n- {id: b, decision: alow}\n- {frm: b}\n") == [
        "f.yaml:2: id: should be text: put 12 in quotes",
        "f.yaml:3: unknown word 'aproval' (did you mean 'approval'?)",
        "f.yaml:4: decision: 'alow' is not one of 'allow', 'ask' or 'deny' (did you mean 'allow'?)",
        "f.yaml:5: 'id' is missing",
        "f.yaml:5: unknown word 'frm' (did you mean 'from'?)",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\na: 2\n", "f.yaml:2: 'a' stands here already, on line 1"),
        ("a: &x 1\n", "f.yaml:1: anchors and aliases are not supported: write the value out"),
        ("\na: !!python/object:os.system x", "f.yaml:2: the tag tag:yaml.org,2002:python/object:os.system"),
        ("[" * 5000, "f.yaml:1: nested too deeply"),
        ("{" * 5000, "f.yaml:1: nested too deeply"),
        ("a:\n  b: 1\n c: 2\n", "f.yaml:3: did not find expected key"),
        ("a: 1\nb: \x00", "f.yaml:2: a character that YAML does not allow"),
        ("a: 1\n---\nb: 2", "f.yaml:2: a second document begins here"),
        ("? [a]\n: 1", "f.yaml:1: a key is plain text"),
        ("<<: {a: 1}", "f.yaml:1: merge keys (<<) are not supported"),
        ("", "f.yaml:1: the file is empty"),
        ("# only a comment\n", "f.yaml:1: the file is empty"),
        ("x" * 2_000_000, "f.yaml:1: the file is larger than"),
    ],
)
def test_what_yaml_can_do_and_a_charter_may_not(text: str, expected: str) -> None:
    assert problems(text)[0].startswith(expected)


@given(st.text(alphabet="ab:-[]{}&*!|>'\"#%@`,? \n\t~<01\x85\u2028", max_size=80))
def test_any_text_is_read_or_refused_with_a_line(text: str) -> None:
    try:
        parse(load("f.yaml", text), File)
        found = ["f.yaml: read"]
    except CharterError as error:
        found = error.problems
    assert found
    assert all(problem.startswith("f.yaml:") for problem in found)
