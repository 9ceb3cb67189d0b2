// A row of the dashboard for a piece of work.

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
