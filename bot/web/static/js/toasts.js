// Private notices: shown where they were asked for, else for a while above the page; kept in a list behind the bell.

import { h, markup } from "./dom.js";
import { icon } from "./icons.js";
import { post } from "./api.js";
import { emit, state } from "./state.js";
import { when } from "./time.js";

const STAY = 12_000; // and longer for more text: nobody reads more than 15 letters a second
const LONGEST = 40_000;

/** Show a sentence of the page's own. */
export function toast(text, tone = "neutral") {
  place(h("p", {}, text), tone);
}

/** Show a private notice, once: where it was asked for if `show` can, else above the page. */
export function notice(value, show) {
  if (state.notices.some((known) => known.id === value.id)) return;
  state.notices.unshift(value);
  emit("notices");
  showNotice(value, show);
}

/** Show the notices of the last minutes that nobody has seen, after the page was loaded. */
export function missedNotices(show) {
  const recent = state.notices.filter((value) => !value.seen && Date.now() - new Date(value.at) < 10 * 60_000);
  recent.slice(0, 3).reverse().forEach((value) => showNotice(value, show));
}

function showNotice(value, show) {
  if (document.hasFocus() && show(value)) return seen(value);
  const from = h("p.small", {}, icon("bell"), value.agent ? `Bosun · ${value.agent}` : "Bosun", " — only you see this");
  place([from, h("div.prose", {}, markup(value.html))], "neutral", () => seen(value));
}

function place(content, tone, closed = () => {}) {
  let timer = null;
  const close = () => {
    clearTimeout(timer);
    element.remove();
    closed();
  };
  const wait = () => (timer = setTimeout(close, Math.min(LONGEST, STAY + element.textContent.length * 65)));
  const stay = () => clearTimeout(timer);
  const element = h(
    "div.toast",
    { class: `tone-${tone}`, onpointerenter: stay, onpointerleave: wait, onfocusin: stay, onfocusout: wait },
    h("div.toast-text", {}, content),
    h("button.icon-button", { type: "button", "aria-label": "Dismiss", onclick: close }, icon("close")),
  );
  document.getElementById("toasts").append(element);
  wait();
}

function seen(value) {
  value.seen = true;
  emit("notices");
  post("/notices/seen", { upto: value.seq }).catch(() => {});
}

/** The list behind the bell. */
export function noticeList() {
  const newest = state.notices[0];
  if (newest && !newest.seen) {
    state.notices.forEach((value) => (value.seen = true));
    seen(newest);
  }
  if (!state.notices.length) return h("p.empty-note", {}, "No private notices yet.");
  return h(
    "ol.notices",
    {},
    state.notices.map((value) => h("li", {}, when(value.at, "near", "small"), h("div.prose", {}, markup(value.html)))),
  );
}

export const unseenNotices = () => state.notices.filter((value) => !value.seen).length;
