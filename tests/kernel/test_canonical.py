"""The canonical form is RFC 8785, whichever way it is made."""

from __future__ import annotations

from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from kernel.canonical import canonical

TEXT = st.text(max_size=20) | st.text(st.characters(max_codepoint=127), max_size=20)
SCALARS = st.none() | st.booleans() | st.integers(-(2**54), 2**54) | st.floats() | TEXT
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4), max_leaves=20
)


def outcome(make: Any, value: Any) -> bytes | str:
    try:
        found: bytes = make(value)
    except ValueError as error:
        return type(error).__name__
    return found


@given(VALUES)
def test_every_value_has_the_form_that_the_reference_gives_it(value: Any) -> None:
    assert outcome(canonical, value) == outcome(rfc8785.dumps, value)


def test_every_ascii_character_is_written_as_the_reference_writes_it() -> None:
    for code in range(128):
        assert canonical({chr(code): chr(code)}) == rfc8785.dumps({chr(code): chr(code)})


def test_keys_are_sorted_by_utf_16_and_not_by_code_point() -> None:
    assert canonical({"\U0001f600": 1, "\ufb01": 2}) == '{"\U0001f600":1,"\ufb01":2}'.encode()


def test_deep_nesting_takes_the_slow_way_and_comes_out_the_same() -> None:
    value: Any = 1
    for _ in range(200):
        value = [value]
    assert canonical(value) == rfc8785.dumps(value)


@pytest.mark.parametrize("value", [2**53, -(2**53), 2**70, float("nan"), float("inf"), {1: 2}, b"bytes"])
def test_what_rfc_8785_cannot_carry_raises_as_the_reference_does(value: Any) -> None:
    assert outcome(canonical, value) == outcome(rfc8785.dumps, value)
