// Decision cards: headline, state, text, facts, the literal payload, buttons, footer. The order is fixed.

import { h, markup } from "./dom.js";
import { icon } from "./icons.js";
import { timed, when } from "./time.js";

const TONES = { neutral: "info", waiting: "clock", good: "check", bad: "no", warn: "alert" };

/** A card. `message` is the message that shows it; without one (dashboard) presses go by reference alone. */
export function card(value, message = "") {
  const open = value.actions.some((action) => action.style !== "link");
  return h(
    "section.card",
    { class: `tone-${value.tone}`, "aria-label": value.headline },
    h("h3", {}, value.headline),
    h("p.state-line", {}, icon(TONES[value.tone]), h("span", {}, timed(value.state))),
    value.expiresAt && open && h("p.expires.small", {}, when(value.expiresAt, "expires")),
    value.warning && h("p.warning", {}, icon("alert"), h("span", {}, value.warning)),
    value.html && h("div.prose", {}, markup(value.html)),
    value.facts.length > 0 &&
      h("dl.facts", {}, value.facts.map((fact) => [h("dt", {}, fact.label), h("dd", {}, timed(fact.value))])),
    value.payloads.map(payload),
    value.actions.length > 0 && actions(value.actions, message),
    value.footer && h("p.small.card-footer", {}, timed(value.footer)),
  );
}

function payload(value) {
  return h(
    "details.payload",
    {},
    h(
      "summary",
      {},
      icon("right"),
      h("span", {}, value.title),
      value.digest && h("code.digest", { title: `SHA-256 ${value.digest}` }, value.digest.slice(0, 8)),
    ),
    h("pre", { tabindex: "0", "aria-label": value.title }, h("code", {}, lines(value))),
  );
}

function lines(value) {
  if (value.language !== "diff") return value.content;
  return value.content.split("\n").map((line) => {
    const kind = { "+": "added", "-": "removed", "@": "hunk" }[line[0]] ?? "same";
    return h("span.line", { class: kind }, `${line}\n`);
  });
}

/** A row of buttons; two or more that are rarely wanted are folded behind a last one. */
export function actions(list, message) {
  const folded = list.filter((action) => action.more);
  if (folded.length < 2) return h("div.actions", {}, list.map((action) => button(action, message)));
  return h(
    "div.actions",
    {},
    list.filter((action) => !action.more).map((action) => button(action, message)),
    h(
      "details.more",
      {},
      h("summary.button.plain", {}, "More", icon("right")),
      h("div.actions", {}, folded.map((action) => button(action, message))),
    ),
  );
}

/** One button. */
export function button(action, message) {
  if (action.style === "link") {
    const foreign = !action.url.startsWith("/");
    return h("a.button.plain", { href: action.url, target: foreign && "_blank", rel: "noopener" }, action.label);
  }
  return h(
    "button.button",
    {
      type: "button",
      class: action.style,
      "data-act": "press",
      "data-message": message,
      "data-press": JSON.stringify(action),
      "aria-haspopup": (action.opens_form || action.confirm) && "dialog",
    },
    action.label,
  );
}
