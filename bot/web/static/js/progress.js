// The one object that shows a turn being worked on: steps, the answer so far, and Stop.

import { h, markup } from "./dom.js";
import { icon } from "./icons.js";

const SHOWN = 8; // rows; earlier ones fold
const WORDS = { pending: "not yet", running: "running", done: "done", failed: "failed", waiting: "waits for people" };
const SIGNS = { done: "check", failed: "close", waiting: "clock" };

export function progress(message) {
  const hidden = Math.max(0, message.steps.length - SHOWN);
  return h(
    "section.progress",
    { "aria-label": message.title },
    h(
      "div.progress-head",
      {},
      h("span.spinner", { "aria-hidden": true }),
      h("p.progress-title", {}, message.title),
      message.run && stopButton(message.run, message.id),
    ),
    message.steps.length > 0 &&
      h(
        "ol.steps",
        {},
        hidden > 0 && h("li.earlier.small", {}, `${hidden} earlier steps`),
        message.steps.slice(hidden).map(step),
      ),
    message.html && h("div.prose.partial", {}, markup(message.html)),
  );
}

function step(value) {
  return h(
    "li.step",
    { class: value.status },
    h("span.sign", { "aria-hidden": true }, SIGNS[value.status] ? icon(SIGNS[value.status]) : null),
    h(
      "span",
      {},
      h("span.step-title", {}, value.title),
      h("span.unseen", {}, ` (${WORDS[value.status]})`),
      value.detail && h("span.step-detail", {}, value.detail),
    ),
  );
}

/** The button that stops a run. */
export function stopButton(run, message = "") {
  const press = { subject: run, revision: 0, verb: "stop" };
  return h(
    "button.button.plain.stop",
    { type: "button", "data-act": "press", "data-message": message, "data-press": JSON.stringify(press) },
    icon("stop"),
    "Stop",
  );
}
