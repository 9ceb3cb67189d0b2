// The rows of the dashboard: a piece of work, a workflow, an agent, a budget.

import { button } from "./card.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { stopButton } from "./progress.js";
import { when } from "./time.js";

const WORDS = { queued: "Starts soon", running: "Running", waiting: "Waits for people" };

export function progressState(item) {
  return h(
    "li.row",
    { class: `run-${item.state}`, "data-key": item.ref },
    item.state === "waiting" ? icon("clock") : h("span.spinner", { "aria-hidden": true }),
    h(
      "div",
      {},
      item.link ? h("a.row-title", { href: item.link }, item.title) : h("span.row-title", {}, item.title),
      h(
        "p.small",
        {},
        [WORDS[item.state] ?? item.state, item.detail, item.agent, `asked by ${item.requester}`].filter(Boolean).join(" · "),
        " · ",
        when(item.startedAt, "ago"),
      ),
    ),
    item.stoppable && stopButton(item.ref),
  );
}

export function scheduleState(item) {
  const verb = item.paused ? "resume" : "pause";
  const label = item.paused ? "Resume" : "Pause";
  const action = { subject: `S-${item.name}`, revision: 0, verb, label, style: "plain" };
  return h(
    "li.row",
    { class: item.paused ? "run-waiting" : "", "data-key": `S-${item.name}` },
    icon(item.paused ? "stop" : "clock"),
    h(
      "div",
      {},
      h("span.row-title", {}, item.name),
      h("p.small", {}, item.description),
      h("p.small", {}, `next: ${item.next} · last: ${item.last}`),
    ),
    item.controlled && button(action, ""),
  );
}

export function agentState(item) {
  return h(
    "li.row",
    { "data-key": `agent-${item.name}` },
    icon("spark"),
    h(
      "div",
      {},
      h("span.row-title", {}, item.name),
      h("p.small", {}, item.description),
      item.rights.map((line) => h("p.small.rights", {}, line)),
    ),
  );
}

export function budgetState(item) {
  return h(
    "li.row",
    { class: item.percent >= 80 ? "tone-warn" : "", "data-key": `budget-${item.title}-${item.detail}` },
    icon(item.percent >= 80 ? "alert" : "info"),
    h("div", {}, h("span.row-title", { title: item.title }, item.title), h("p.small", {}, item.detail)),
  );
}
