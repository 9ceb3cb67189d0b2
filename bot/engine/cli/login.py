"""`bosun login`."""

from __future__ import annotations

import click


@click.command()
@click.argument("person", required=False)
def command(person: str | None) -> None:
    """Print a link that signs PERSON in to the web chat, once, within twelve hours.

    PERSON is a key or a name of people.yaml; without one it is the first person there. Give the link to nobody else.
    """
    from bot.engine.absence_words import named
    from bot.engine.app import read_charter
    from bot.engine.directory import TeamDirectory
    from bot.web.sessions import login_token
    from kernel.clock import SystemClock, SystemIds
    from kernel.config import read_settings
    from kernel.errors import NotFound

    settings = read_settings()
    charter, clock = read_charter(settings), SystemClock()
    everybody = TeamDirectory(lambda: charter, clock).everybody()
    who = named(person, everybody) if person else everybody[0]
    folder = settings.data / "web"
    if not folder.is_dir():
        raise NotFound(
            f"There is nothing in {settings.data} yet.", hint="Start Bosun with `bosun up`, or set BOSUN_DATA."
        )
    click.echo(f"{settings.web_address}/login?token={login_token(folder, clock, SystemIds(), who.id)}")
