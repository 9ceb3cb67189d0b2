// The rows of the dashboard: a piece of work, a workflow, an agent, a budget.

import { button } from "./card.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { stopButton } from "./progress.js";
import { when } from "./time.js";

const WORDS = { queued: "Starts soon", running: "Running", waiting: "Waits for people", timed: "Waits for its time" };

export function progressState(item) {
  return h(
    "li.row",
    { class: `run-${item.state}`, "data-key": item.ref },
    item.state === "waiting" || item.state === "timed" ? icon("clock") : h("span.spinner", { "aria-hidden": true }),
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
  return h(
    "li.row",
    { class: item.paused ? "run-waiting" : "", "data-key": `S-${item.name}` },
    icon(item.paused ? "stop" : "clock"),
    h(
      "div",
      {},
      h("a.row-title", { href: `/workflows/${item.name}` }, item.name),
      h("p.small", {}, item.description),
      h("p.small", {}, `Next: ${item.next} · last: ${item.last}`),
      buttons(item),
    ),
  );
}

export function agentState(item) {
  return h(
    "li.row",
    { "data-key": `agent-${item.name}-${item.rights}` },
    icon("spark"),
    h(
      "div",
      {},
      h("span.row-title", {}, item.name),
      h("p.small", {}, item.description),
      item.rights.map(right),
    ),
  );
}

/** "alone: read file, list files": how far it may go, then with what. */
function right(line) {
  const [how, tools] = line.split(/: (.*)/s);
  return h("p.small.rights", {}, h("strong", {}, tools ? `${how}:` : how), tools && ` ${tools}`);
}

export function budgetState(item) {
  return h(
    "li.row",
    { class: item.percent >= 80 ? "tone-warn" : "", "data-key": `budget-${item.title}-${item.detail}` },
    icon(item.percent >= 80 ? "alert" : "info"),
    h("div", {}, h("span.row-title", { title: item.title }, item.title), h("p.small", {}, item.detail)),
  );
}

export function settingState(item) {
  return h(
    "li.row",
    { "data-key": `setting-${item.title}` },
    icon("sliders"),
    h("div", {}, h("span.row-title", {}, item.title), h("p.small", {}, item.detail), buttons(item)),
  );
}

const buttons = (item) => item.actions.length > 0 && h("div.actions", {}, item.actions.map((action) => button(action, "")));
