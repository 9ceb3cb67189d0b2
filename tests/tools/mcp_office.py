"""The office of the tests with MCP servers, and the cards on which people decide about them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernel.store import Session, outbox
from kernel.types import Card, Place, Press
from rules.engine.known import KnownTool
from tests.rules.people import account
from tests.tools.office import STARTER, Office, known
from tools.engine.setup.file import ToolsFile
from tools.engine.toolbox import Toolbox

if TYPE_CHECKING:
    from kernel.store import Store
    from tools.engine.mcp.sign_ins import SignIns

OPERATORS = Place(platform="web", tenant="local", channel="bosun")
GENERAL_RULES = STARTER.parent / "general.yaml"


class Connected(Office):
    """The office, with the MCP servers of a tools.yaml."""

    def __init__(
        self, store: Store, folder: Path, servers: dict[str, Any], sign_ins: SignIns | None = None, **secrets: str
    ) -> None:
        setup = ToolsFile.model_validate({"mcp": servers})
        super().__init__(store, folder, setup, **secrets)
        self.toolbox = Toolbox(self.tools)
        self.reviews = self.toolbox.connect(
            store=store,
            clock=self.clock,
            ids=self.ids,
            directory=self.team,
            secrets=secrets,
            where=lambda: OPERATORS,
            sign_ins=sign_ins,
        )
        names = known(self.tools)
        brought = {
            one.name: KnownTool(effect=one.effect, arguments=one.arguments, authority=one.authority, is_open=True)
            for one in self.toolbox.declared(setup, folder).tools
        }
        names = names.model_copy(update={"tools": {**names.tools, **brought}})
        texts = {f"rules/{path.name}": path.read_text() for path in (STARTER, GENERAL_RULES)}
        self.book.load(texts, names)
        self.toolbox.use(setup, folder)

    @property
    def servers(self) -> Any:
        assert self.toolbox.mcp is not None
        return self.toolbox.mcp

    async def look(self) -> None:
        await self.servers.look()
        await self.servers.read()

    def cards(self, server: str = "notes") -> list[Card]:
        def read(session: Session) -> list[Card]:
            return [row.content for row in outbox.copies(session, f"T-{server.upper()}")]  # type: ignore[misc]

        return self.store.read_now(read)

    async def press(self, verb: str = "accept", *, card: Card | None = None, by: str = "dee") -> str:
        action = next(one for one in (card or self.cards()[-1]).actions if one.verb == verb)
        press = Press(subject=action.subject, revision=action.revision, verb=verb)
        answer = await self.reviews.answer(press, self.team.people[by], account(by))
        assert isinstance(answer, str)
        await self.servers.read()
        return answer

    async def accepted(self) -> None:
        await self.look()
        await self.press()
