// The middle pane (a channel) and the right pane (a thread): header, list, working line, composer.

import { avatar } from "./avatar.js";
import { Composer } from "./composer.js";
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { MessageList } from "./list.js";
import { prompts } from "./prompts.js";
import { below, isLoaded, loadThread, loadTimeline, state, topLevel, workingIn } from "./state.js";

const wide = matchMedia("(min-width: 60rem)"); // else a thread covers its channel
const WORKING = { processing: "Bosun is working", suspended: "Waiting for people to decide" };

/** What both panes share. */
class Pane {
  constructor({ place, label, placeholder, inThread, belongs, sent }) {
    this.place = place;
    this.list = new MessageList({ label, inThread, belongs });
    this.composer = new Composer({ place, placeholder, sent: (message) => (this.list.toEnd(), sent?.(message)) });
    this.working = h("p.working", { role: "status" });
    this.bottom = h("div.bottom", {}, this.list.jump, this.working, this.composer.element);
  }

  watchDrops() {
    this.element.addEventListener("dragover", (event) => {
      event.preventDefault();
      this.element.classList.add("dropping");
    });
    this.element.addEventListener("dragleave", (event) => {
      if (!this.element.contains(event.relatedTarget)) this.element.classList.remove("dropping");
    });
    this.element.addEventListener("drop", (event) => {
      event.preventDefault();
      this.element.classList.remove("dropping");
      this.composer.attach(event.dataTransfer);
    });
  }

  /** Show a private notice that belongs here; false for any other. */
  note(value) {
    if (value.channel !== this.place.channel || (value.thread ?? "") !== (this.place.thread ?? "")) return false;
    this.list.note(value);
    return true;
  }

  /** Show whether Bosun works here, and how to stop it. */
  status(messages) {
    const running = messages.findLast((message) => message.kind === "progress");
    const now = workingIn(this.place.channel, this.place.thread ?? "");
    const words = running ? null : WORKING[now];
    if (this.working.dataset.now !== (words ?? "")) {
      this.working.dataset.now = words ?? "";
      fill(this.working, words && [h("span.dots", { "aria-hidden": true }, h("i"), h("i"), h("i")), words]);
      this.working.className = `working ${now ?? ""}`;
    }
    this.composer.offerStop(running?.run, running?.id);
  }

  close() {
    this.list.close();
    this.element.remove();
  }
}

/** A channel or the DM. */
export class ChannelPane extends Pane {
  constructor(channel, { openRail, sent }) {
    super({
      place: { channel: channel.id },
      label: `Messages in ${channel.name}`,
      placeholder: channel.dm ? "Message Bosun" : `Message #${channel.name}, or ask @bosun`,
      belongs: (message) => message.channel === channel.id && !message.thread && isLoaded(message),
      sent,
    });
    this.channel = channel;
    this.earlier = h("button.button.plain.earlier", { type: "button", hidden: true, onclick: () => this.loadEarlier() }, "Show earlier messages");
    this.start = h("div.start");
    this.list.element.prepend(this.start, this.earlier);
    this.element = h(
      "section.pane.channel-pane",
      { "aria-label": channel.dm ? "Direct messages with Bosun" : `Channel ${channel.name}` },
      header(channel, openRail),
      this.list.element,
      this.bottom,
    );
    this.watchDrops();
  }

  async load() {
    await loadTimeline(this.channel.id);
    this.list.show(topLevel(this.channel.id));
    this.refresh();
    this.list.toEnd();
  }

  async loadEarlier() {
    const { element } = this.list;
    const fromEnd = element.scrollHeight - element.scrollTop;
    await loadTimeline(this.channel.id, true);
    this.list.show(topLevel(this.channel.id));
    this.refresh();
    element.scrollTop = element.scrollHeight - fromEnd;
  }

  take(message) {
    this.list.take(message);
    if (!message.thread) this.refresh();
  }

  refresh() {
    const messages = topLevel(this.channel.id);
    const more = state.timelines.get(this.channel.id)?.more ?? false;
    this.earlier.hidden = !more;
    this.start.hidden = more;
    const isEmpty = messages.length === 0;
    if (this.start.dataset.empty !== String(isEmpty)) {
      this.start.dataset.empty = String(isEmpty);
      fill(this.start, beginning(this.channel), isEmpty && prompts(this.channel, (text) => this.composer.propose(text)));
    }
    this.status(this.channel.dm ? messages : []);
  }
}

function header(channel, openRail) {
  return h(
    "header.pane-head",
    {},
    h("button.icon-button.to-rail", { type: "button", "aria-label": "Channels", onclick: openRail }, icon("menu")),
    h(
      "div.pane-title",
      {},
      h("h1", {}, !channel.dm && h("span.hash", { "aria-hidden": true }, "#"), channel.name),
      channel.purpose && h("p.small", {}, channel.purpose),
    ),
  );
}

function beginning(channel) {
  if (channel.dm) {
    return [
      avatar({ id: "", name: "Bosun" }, "big"),
      h("h2", {}, "Bosun"),
      h("p", {}, "Only you and Bosun read this. Ask anything; whatever needs a decision goes to the people who may decide."),
    ];
  }
  return [
    h("span.start-sign", { "aria-hidden": true }, "#"),
    h("h2", {}, channel.name),
    channel.purpose && h("p", {}, channel.purpose),
    h("p", {}, "Mention ", h("span.mention.us", {}, "@Bosun"), " to ask. The answer comes in a thread below your message."),
  ];
}

/** A thread. */
export class ThreadPane extends Pane {
  constructor(channel, root, { close }) {
    super({
      place: { channel: channel.id, thread: root },
      label: "Messages in the thread",
      placeholder: "Reply",
      inThread: true,
      belongs: (message) => message.id === root || message.thread === root,
    });
    this.channel = channel;
    this.root = root;
    this.element = h(
      "aside.pane.thread-pane",
      { "aria-label": "Thread", tabindex: "-1" },
      h(
        "header.pane-head",
        {},
        h("button.icon-button.to-channel", { type: "button", "aria-label": "Back to the channel", onclick: close }, icon("back")),
        h("div.pane-title", {}, h("h2", { role: "heading", "aria-level": wide.matches ? 2 : 1 }, "Thread"), h("p.small", {}, channel.dm ? "Bosun" : `#${channel.name}`)),
        h("button.icon-button.close-thread", { type: "button", "aria-label": "Close the thread", title: "Close (Esc)", onclick: close }, icon("close")),
      ),
      this.list.element,
      this.bottom,
    );
    this.watchDrops();
  }

  async load() {
    await loadThread(this.root);
    this.list.show(this.messages());
    this.status(this.messages());
    this.list.toEnd();
  }

  messages() {
    const root = state.messages.get(this.root);
    return [...(root ? [root] : []), ...below(this.root)];
  }

  take(message) {
    if (message.id !== this.root && message.thread !== this.root) return;
    this.list.take(message);
    this.status(this.messages());
  }
}

