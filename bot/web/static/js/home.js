// Home and "Waiting for me": what runs, what waits for this person, what was decided.

import { card } from "./card.js";
import { h, morph } from "./dom.js";
import { icon } from "./icons.js";
import { agentState, budgetState, progressState, scheduleState, settingState } from "./home-rows.js";
import { prompts } from "./prompts.js";
import { me, state } from "./state.js";
import { when } from "./time.js";

const NOTHING = { waiting: [], running: [], schedules: [], agents: [], budgets: [], recent: [], settings: [], footer: "", more: {} };

export class HomePane {
  /** `only`: "waiting" for the list of approvals alone. */
  constructor({ only = "", openRail, ask }) {
    this.only = only;
    this.ask = ask;
    this.content = h("div.home");
    this.element = h(
      "section.pane.home-pane",
      { "aria-label": only ? "Waiting for me" : "Home" },
      h(
        "header.pane-head",
        {},
        h("button.icon-button.to-rail", { type: "button", "aria-label": "Channels", onclick: openRail }, icon("menu")),
        h("div.pane-title", {}, h("h1", {}, only ? "Waiting for me" : "Home")),
      ),
      h("div.scroller", { tabindex: "0" }, this.content),
    );
  }

  refresh() {
    const view = state.home ?? NOTHING;
    const next = h("div.home", {}, this.only ? this.waiting(view, false) : this.all(view));
    this.content = morph(this.content, next);
  }

  all(view) {
    const { waiting, running, schedules, agents, budgets, recent, settings } = view;
    const quiet = !waiting.length && !running.length && !recent.length;
    return [
      h("h2.greeting", {}, `${greeting()}, ${me().name.split(" ")[0]}`),
      quiet && prompts(null, this.ask),
      h(
        "div.column",
        {},
        this.waiting(view, true),
        section("Agents, and what they may do alone", 0, agents.map(agentState), "There are no agents.", "agents"),
      ),
      h(
        "div.column",
        {},
        section("Running now", running.length, running.map(progressState), "Nothing is running.", "", view.more.running),
        section("Schedules", 0, schedules.map(scheduleState), "Nothing runs by itself where you can read it.", "", view.more.schedules),
        section("Budgets", 0, budgets.map(budgetState), "Nothing is used of any budget."),
        section("Recent decisions", 0, recent.map(decision), "Nothing was decided yet.", "recent"),
        section("Settings", 0, settings.map(settingState), "There is nothing to set.", "settings"),
        view.footer && h("p.small", {}, view.footer),
      ),
    ];
  }

  waiting({ waiting, more }, headed) {
    const cards = waiting.map((item) =>
      h(
        "li.waiting-item",
        { "data-key": item.card.actions[0]?.subject ?? item.card.headline },
        card(item.card),
        item.link && h("a.text-link", { href: item.link }, "Open the thread", icon("right")),
      ),
    );
    const empty = h("div.all-clear", {}, icon("check"), h("p", {}, "Nothing waits for you."));
    const list = cards.length ? h("ol.waiting-list", {}, cards) : empty;
    const rest = more.waiting && h("p.small", {}, more.waiting);
    return headed ? h("section", {}, heading("Waiting for you", waiting.length), list, rest) : [h("h2.unseen", {}, "Approvals"), list, rest];
  }

  close() {
    this.element.remove();
  }
}

function greeting() {
  const hour = new Date().getHours();
  if (hour < 5) return "Good night";
  if (hour < 12) return "Good morning";
  return hour < 18 ? "Good afternoon" : "Good evening";
}

function heading(words, count) {
  return h("h3.section-head", {}, words, count > 0 && h("span.badge", {}, count));
}

function section(words, count, rows, empty, name = "", more = "") {
  const list = rows.length ? h("ol.rows", {}, rows) : h("p.empty-note", {}, empty);
  return h("section", { class: name }, heading(words, count), list, more && h("p.small", {}, more));
}

const TONES = { good: "check", bad: "no", warn: "alert", neutral: "info" };

function decision(item) {
  return h(
    "li.row",
    { class: `tone-${item.tone}` },
    icon(TONES[item.tone] ?? "info"),
    h(
      "div",
      {},
      item.link ? h("a.row-title", { href: item.link }, item.title) : h("span.row-title", {}, item.title),
      h("p.small", {}, item.outcome),
    ),
    when(item.at, "near", "small"),
  );
}

