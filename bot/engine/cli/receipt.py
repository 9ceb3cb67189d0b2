"""`bosun receipt`."""

from __future__ import annotations

import click


@click.command()
@click.argument("reference")
@click.option("--json", "as_json", is_flag=True, help="Everything as one JSON value, to be kept or checked elsewhere.")
@click.pass_context
def command(ctx: click.Context, reference: str, *, as_json: bool) -> None:
    """Show the receipt of REFERENCE: a run (R-7F3K), or the call that an approval (AP-7F3K) is about.

    From the request to what came back: the rules, where the values come from, who voted when, what was executed with
    which arguments, and what it cost. Each line names the entry of the ledger that bears it. Exit code 1 if the ledger
    does not bear it all.
    """
    import json

    from bot.engine.app import read_charter
    from bot.engine.cli.database import opened
    from kernel import ledger
    from kernel.checkpoints import Checkpoint
    from kernel.config import read_settings
    from kernel.errors import NotFound
    from kernel.store import checkpoints
    from rules.engine import receipt_text, receipts

    settings = read_settings()
    people = read_charter(settings).people

    def name(person: str) -> str:
        return people[person].name if person in people else person

    with opened(settings) as store:
        found = store.read_now(lambda session: receipts.receipt(session, reference, name))
        if found is None:
            raise NotFound(f"There is no run or approval {reference}.", hint="See `bosun runs`, `bosun approvals`.")
        kept = [Checkpoint(**row.model_dump()) for row in store.read_now(checkpoints.kept)]
        whole = store.read_now(lambda session: ledger.verify(session, kept))
    if as_json:
        value = {"receipt": found.model_dump(mode="json"), "ledger": whole.model_dump(mode="json")}
        click.echo(json.dumps(value, indent=2, ensure_ascii=False))
    else:
        click.echo(receipt_text.plain(found))
        if not whole.ok:
            click.echo(f"The ledger is not as it was written: {whole.problem}.", err=True)
    ctx.exit(0 if whole.ok and not found.problems else 1)
