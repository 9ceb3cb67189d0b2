"""A rule file that uses the whole language, with the tools that it speaks of."""

from typing import Any

from kernel.types import Effect
from rules.engine.known import Known, KnownTool

TEXT = """
version: 1
rules:
  - id: small-known-invoice
    why: Ops may pay small invoices of suppliers we have paid before, without asking.
    agent: [ops]
    tool: [pay_invoice]
    args:
      account: {from: [typed, paid_before]}
      amount: {at_most: 250}
    budget: {amount: 1000, per: day}
    decision: allow

  - id: invoice-needs-two
    why: Everything else that moves money needs two people from finance, never the person who asked.
    tool: [pay_invoice, create_standing_order]
    otherwise: ask            # decides only where no other rule does
    approval:
      who: [finance]
      need: 2
      not_requester: true
      where: "#finance-approvals"
      expires: 4h
      escalate: [{after: 2h, to: [cfo]}]
      if_nobody_answers: deny

  - id: address-from-outside
    why: The address stands only in text that somebody outside wrote, so the requester types it again.
    tool: [send_email, share_file, invite_user]
    args:
      to: {only_from: [outside_text]}
    decision: ask
    approval: {who: [requester], confirm: type_target, edit: true, expires: 24h, if_nobody_answers: deny}

  - id: no-deploys-on-friday
    why: Nobody deploys to production after Friday noon, not even with approval.
    tool: [deploy]
    args: {environment: {is: [production]}}
    time: {days: [fri], from: "12:00", until: "24:00", zone: Europe/Zurich}
    decision: deny

  - id: reschedule-customer-call
    why: Moving a customer's call is asked until the team has agreed 20 times in a row without a correction.
    agent: [calendar]
    tool: [reschedule_event]
    args: {event: {from: [typed, found_by_your_words]}}
    decision: ask
    approval: {who: [requester, account-owner], expires: 8h, if_nobody_answers: deny}
    promote:
      to: allow
      after: {approvals_in_a_row: 20, different_approvers: 2, within: 60d, edits: 0}
      for: {same: [event.customer]}
      decided_by: [head-of-sales]
      back_to_ask_on: [rejected, edited, undone]

tests:
  - {call: {agent: ops, tool: pay_invoice, account: paid_before, amount: 90}, expect: allow, by: small-known-invoice}
  - {call: {agent: ops, tool: pay_invoice, account: outside_text, amount: 90}, expect: ask, by: invoice-needs-two}
"""


def known() -> Known:
    """What the file may name."""
    text, number = {"type": "string"}, {"type": "number"}
    return Known(
        tools={
            "pay_invoice": _tool("spend", account=text, amount=number),
            "create_standing_order": _tool("spend", account=text, amount=number),
            "send_email": _tool("send", to=text, body=text),
            "share_file": _tool("send", to=text, path=text),
            "invite_user": _tool("write", to=text),
            "deploy": _tool("write", environment={"enum": ["staging", "production"]}),
            "reschedule_event": _tool(
                "write", event={"type": "object", "properties": {"id": text, "customer": text}}, start=text
            ),
        },
        agents=frozenset({"ops", "calendar"}),
        roles=frozenset({"finance", "cfo", "account-owner", "head-of-sales"}),
        channels=frozenset({"#finance-approvals"}),
    )


def _tool(effect: Effect, **arguments: Any) -> KnownTool:
    free = ("body",) if "body" in arguments else ()
    return KnownTool(effect=effect, arguments={"type": "object", "properties": arguments}, free_text=free)
