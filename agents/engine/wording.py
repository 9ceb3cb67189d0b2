"""What people are told when a run ends without its answer: what happened, what is saved, what they can do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.engine.citations import cites, cites_throughout
from kernel.types import Action, Text
from rules.engine.freezing import in_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from agents.engine.transcript import Transcript
    from kernel.store.run_steps import RunState
    from kernel.types import Progress
    from rules.engine.outcome import Freeze

CUT = '\n\n_This answer was cut at the length limit. Reply "go on" for the rest._'
COST_TOLD = 0.10  # USD of an answer, from which on its small print says so
MANY_TURNS = "I worked {turns} turns on this without coming to an end, so I stopped."


def generated(agent: str, model: str, cost: float) -> str:
    """That a model made an answer, which one, and what it took where that is worth a look."""
    return " · ".join(["AI-generated", agent, model, *([f"{cost:.2f} USD"] if cost >= COST_TOLD else [])])


def footer(text: str, transcript: Transcript, generated: str) -> str:
    """Small print below what a model has said: that it is generated, and what of it has no source."""
    return " · ".join(filter(None, [generated, _own_words(text, transcript)]))


def _own_words(text: str, transcript: Transcript) -> str:
    """What of a model's answer rests on no source; empty where nothing does, or where calls alone are reported."""
    if cites(text):
        return "What has no number is the model's own." if not cites_throughout(text) else ""
    reports = any(not result["error"] for result in transcript.results())
    has_read = any(kept.get("sources") for kept in transcript.cited_from())
    return "" if reports and not has_read else "Cites no source: the model's own words."


def cannot_think(run: RunState, agent: str) -> Text:
    """The model is away; the run waits."""
    return Text(
        markdown="I can't think right now; your request is saved and will run when I'm back.",
        agent=agent,
        footer=run.ref,
        actions=(Action(subject=run.ref, verb="stop", label="Cancel"),),
    )


def held(run: RunState, agent: str, freeze: Freeze, transcript: Transcript) -> Text:
    """People have frozen what the run needs; it waits for the thaw."""
    why = f": {freeze.reason.rstrip('.')}" if freeze.reason else ""
    parts = [f"**Held.** {freeze.by} has frozen {in_words(freeze.scope)}{why}.", _saved(transcript)]
    parts += _not_done(transcript)
    parts.append("It goes on from here once that is thawed.")
    cancel = Action(subject=run.ref, verb="stop", label="Cancel")
    return Text(markdown="\n\n".join(parts), agent=agent, footer=run.ref, actions=(cancel,))


def first_part(shown: Progress) -> Text:
    """What was done before people were asked; the rest is said below what they were asked."""
    done = [f"- {one.title}{one.detail and ': '}{one.detail}" for one in shown.steps if one.status == "done"]
    said = ["Done before I asked, and I went on below:", *done] if done else ["People were asked, and I went on below."]
    return Text(markdown="\n".join(said), agent=shown.agent)


def failed(run: RunState, agent: str, what: str, transcript: Transcript | None, *, again: bool) -> Text:
    """The run ended without an answer."""
    parts = [f"**I could not finish this.** {what}", _saved(transcript)]
    parts.append("You can try again; what is done is not done twice." if again else "You can ask again in other words.")
    retry = Action(subject=run.ref, verb="retry", label="Retry", style="primary")
    details = Action(subject=run.ref, verb="details", label="Details")
    actions = (retry, details) if again else (details,)
    return Text(markdown="\n\n".join(parts), agent=agent, footer=run.ref, actions=actions)


def odd_end(reason: str) -> str:
    """The model stopped for a reason that this version does not know."""
    return f"\n\n_The language model stopped here: {reason or 'it gave no reason'}._"


def refused(detail: str) -> str:
    """The model declined."""
    return f"The language model declined to answer this{': ' + detail.rstrip('.') if detail else ''}."


def stopped(  # noqa: PLR0917  everything that it tells
    run: RunState, agent: str, by: str, partial: str, transcript: Transcript, unsure: Mapping[str, str]
) -> Text:
    """Somebody stopped the run. `unsure`: the tools of calls that had begun and whose end nobody saw, by their use."""
    parts = [partial.strip()] if partial.strip() else []
    parts += [f"**Stopped by {by}.**", _saved(transcript)]
    if unsure:
        tools = ", ".join(f"`{tool}`" for tool in unsure.values())
        parts.append(f"**It may have happened:** {tools}. It had begun, and nobody saw how it ended: please look.")
    parts += _not_done(transcript, but=unsure)
    return Text(markdown="\n\n".join(parts), agent=agent, footer=run.ref)


def _saved(transcript: Transcript | None) -> str:
    results = (
        [] if transcript is None else [r for r in transcript.results() if not r["error"] and not r.get("handover")]
    )
    if not results:
        return "Your request is saved; nothing was done yet."
    shown = "\n".join(f"- `{r['tool']}`: {' '.join(r['summary'].split())[:200] or 'done'}" for r in results[-8:])
    return f"Your request is saved. Done so far:\n{shown}"


def _not_done(transcript: Transcript, but: Iterable[str] = ()) -> list[str]:
    answered = {*but, *(result["use_id"] for result in transcript.results())}
    tools = [
        call["tool"]
        for line in transcript.lines
        if line.kind == "assistant"
        for call in line.content["calls"]
        if call["id"] not in answered
    ]
    return [f"Not done: {', '.join(f'`{tool}`' for tool in tools)}."] if tools else []
