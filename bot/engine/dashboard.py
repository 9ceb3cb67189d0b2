"""The dashboard of one person as platforms without a page of their own show it, and as plain Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.engine.document.plain import literal
from kernel.types import Action, Dashboard, DashboardPart, DashboardRow, Text

if TYPE_CHECKING:
    from bot.engine.home_view import AgentRights, HomeView, Running, Scheduled, Setting, Waiting

WORKFLOW = "S-"  # how the subject of a workflow's button begins; its name follows
STATES = {"queued": "starts soon", "running": "running", "waiting": "waits for people", "timed": "waits for its time"}
TOOLS = 6  # names of tools in one list; further ones are counted


def dashboard(view: HomeView, name: str) -> Dashboard:
    """The whole, in its fixed order."""
    decided = [DashboardRow(title=one.title, url=one.link, detail=one.outcome) for one in view.recent]
    return Dashboard(
        title=f"Home of {name}"[:80],
        parts=(
            DashboardPart(
                title="Waiting for you",
                rows=tuple(map(_waiting, view.waiting)),
                nothing="Nothing waits for you.",
                more=view.more.get("waiting", ""),
            ),
            DashboardPart(
                title="Running now",
                rows=tuple(map(_running, view.running)),
                nothing="Nothing is running.",
                more=view.more.get("running", ""),
            ),
            DashboardPart(
                title="Schedules",
                rows=tuple(map(_scheduled, view.schedules)),
                nothing="Nothing runs by itself.",
                more=view.more.get("schedules", ""),
            ),
            DashboardPart(title="Agents, and what they may do alone", rows=tuple(map(_agent, view.agents))),
            DashboardPart(
                title="Budgets",
                rows=tuple(DashboardRow(title=one.title, detail=one.detail) for one in view.budgets),
                nothing="Nothing is used of any budget.",
            ),
            DashboardPart(title="Recent decisions", rows=tuple(decided), nothing="Nothing was decided yet."),
            DashboardPart(title="Settings", rows=tuple(map(_setting, view.settings))),
        ),
        footer=f"Only you see this, and only what you may see. `help` lists what you can say. {view.footer}".strip(),
    )


def _waiting(item: Waiting) -> DashboardRow:
    first = next((action for action in item.card.actions if action.style != "link"), None)
    review = first and Action(subject=first.subject, revision=first.revision, verb="review", label="Review")
    return DashboardRow(
        title=item.card.headline, url=item.link, detail=item.card.state, actions=(review,) if review else ()
    )


def _running(item: Running) -> DashboardRow:
    stop = (Action(subject=item.ref, verb="stop", label="Stop"),) if item.stoppable else ()
    detail = f"{item.ref} · {STATES.get(item.state, item.state)} · {item.agent} · asked by {item.requester}"
    return DashboardRow(title=item.title, url=item.link, detail=detail, actions=stop)


def _scheduled(item: Scheduled) -> DashboardRow:
    detail = f"{item.description} · next: {item.next} · last: {item.last}"
    actions = tuple(workflow_actions(item))
    return DashboardRow(title=item.name, url=f"/workflows/{item.name}", detail=detail, actions=actions)


def workflow_actions(item: Scheduled) -> list[Action]:
    """What the person may do with a workflow; all the rest stands where it is opened."""
    subject = f"{WORKFLOW}{item.name}"
    verb, label = ("resume", "Resume") if item.paused else ("pause", "Pause")
    return [
        *([Action(subject=subject, verb="run", label="Run now")] if item.startable else ()),
        *([Action(subject=subject, verb=verb, label=label)] if item.controlled else ()),
        Action(subject=subject, verb="open", label="Open"),
    ]


def _setting(item: Setting) -> DashboardRow:
    return DashboardRow(title=item.title, detail=item.detail, actions=item.actions)


def _agent(item: AgentRights) -> DashboardRow:
    return DashboardRow(title=item.name, detail=" · ".join(agent_in_words(item)))


def agent_in_words(item: AgentRights) -> list[str]:
    """What an agent is doing and did last; what it may do alone, what depends, what it asks for, what it may not."""
    doing = [f"at work: {item.busy}"] if item.busy else []
    return [*doing, *([f"last: {item.last}"] if item.last else []), *_rights(item)]


def _rights(item: AgentRights) -> list[str]:
    lists = (
        ("alone", item.alone),
        ("alone within limits", item.limited),
        ("asks first", item.asks),
        ("never", item.never),
    )
    found = [f"{words}: {_listed(tools)}" for words, tools in lists if tools]
    found += [f"stands still: {item.frozen} is frozen"] if item.frozen else []
    found = found or ["has no tools"]
    return found + ([f"helped: {item.helped}"] if item.helped else [])


def _listed(tools: tuple[str, ...]) -> str:
    more = len(tools) - TOOLS
    named = ", ".join(tool.replace("_", " ") for tool in tools[:TOOLS])
    return named + (f" and {more} more" if more > 0 else "")


def as_text(value: Dashboard) -> Text:
    """The same as Markdown, where there is nothing better. Buttons say what they are about."""
    lines: list[str] = []
    actions: list[Action] = []
    for part in value.parts:
        lines += [f"# {part.title}", ""]
        for row in part.rows:
            title = f"[{literal(row.title)}]({row.url})" if row.url else f"**{literal(row.title)}**"
            lines.append(f"- {title} — {literal(row.detail)}")
            for action in row.actions:
                about = "" if action.subject.startswith("ME-") else action.subject.removeprefix(WORKFLOW)
                actions.append(action.model_copy(update={"label": f"{action.label} {about}".strip()[:34]}))
        lines += [part.more or ("" if part.rows else part.nothing), ""]
    return Text(markdown="\n".join(lines), footer=value.footer.replace("`", ""), actions=tuple(actions))
