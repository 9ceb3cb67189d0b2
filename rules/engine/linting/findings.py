"""What a linter says about rules."""

from __future__ import annotations

from typing import Literal

from kernel.types import Frozen

Kind = Literal[
    "unreachable",  # no call fits it
    "overruled",  # whatever fits it is decided by stronger rules
    "redundant",  # without it every call is decided as with it
    "useless_grant",  # whoever decides can never allow more than one call, because of other rules
    "no_rule",  # a tool that changes something and is left to the default
    "nobody",  # those who have to agree are too few
    "several_roles",  # more than one role decides
]


class Finding(Frozen):
    """One thing that a team should look at."""

    kind: Kind
    subject: str  # id of a rule, or name of a tool
    text: str  # a sentence
    where: str = ""  # "rules/money.yaml:12"
    serious: bool = True  # False: it may be meant

    def line(self) -> str:
        """On one line, as a compiler would say it."""
        return f"{self.where}: {self.text}" if self.where else self.text
