// A list of messages: in order, grouped by author, divided by days, keeping to the end while the reader is there.

import { h, morph } from "./dom.js";
import { icon } from "./icons.js";
import { messageElement } from "./message.js";
import { dayKey, dayName } from "./time.js";

const GROUP = 5 * 60_000; // messages of one author within five minutes share a byline
const NEAR = 80; // pixels from the end that count as the end

export class MessageList {
  constructor({ label, inThread = false, belongs }) {
    this.inThread = inThread;
    this.belongs = belongs; // whether a message stands in this list
    this.items = h("ol.messages", { "aria-label": label });
    this.jump = h("button.jump", { type: "button", hidden: true, onclick: () => this.toEnd() }, icon("down"), "New messages");
    this.element = h("div.scroller", { tabindex: "-1", onscroll: () => this.scrolled() }, this.items);
    this.items.addEventListener("keydown", (event) => this.walk(event));
    this.atEnd = true;
    this.size = new ResizeObserver(() => this.atEnd && this.toEnd());
    this.size.observe(this.items);
    this.size.observe(this.element);
  }

  /** Show these messages and nothing else. */
  show(messages) {
    this.items.replaceChildren(...messages.map((message) => this.build(message)));
    this.arrange();
  }

  /** Show a message's newest state. */
  take(message) {
    if (!this.belongs(message)) return;
    const known = this.find(message.id);
    const next = this.build(message);
    if (known) {
      const moved = Number(known.dataset.number) !== message.number;
      const sameAuthor = known.dataset.author === next.dataset.author;
      next.classList.toggle("grouped", known.classList.contains("grouped"));
      next.classList.toggle("target", known.classList.contains("target"));
      next.tabIndex = known.tabIndex;
      const shown = morph(known, next);
      if (moved) this.place(shown);
      if (!moved && sameAuthor) return;
    } else {
      this.place(next);
      if (!this.atEnd && message.author.id === "") this.jump.hidden = false;
    }
    this.arrange();
  }

  /** Show a private notice below what is there now; it is gone when the list is left. */
  note(value) {
    const author = { id: "", name: "Bosun", agent: value.agent };
    const message = { ...value, id: `note-${value.id}`, kind: "text", private: true, author };
    const element = messageElement(message, { inThread: this.inThread, dismiss: () => this.remove(message.id) });
    element.dataset.author = message.id; // never grouped with what stands around it
    element.dataset.number = Math.max(0, ...this.numbers());
    this.place(element);
    this.arrange();
  }

  /** The numbers of the messages that the server has. */
  numbers() {
    return [...this.items.querySelectorAll(":scope > .message:not(.pending)")].map((one) => Number(one.dataset.number));
  }

  remove(id) {
    this.find(id)?.remove();
    this.arrange();
  }

  find(id) {
    return this.items.querySelector(`:scope > [data-key="${CSS.escape(id)}"]`);
  }

  build(message) {
    const element = messageElement(message, { inThread: this.inThread });
    element.dataset.number = message.number;
    return element;
  }

  place(element) {
    const number = Number(element.dataset.number);
    let before = this.items.lastElementChild;
    while (before && (before === element || !(Number(before.dataset.number) <= number))) before = before.previousElementSibling;
    if (before) before.after(element);
    else this.items.prepend(element);
  }

  /** Group by author and divide by day. */
  arrange() {
    this.items.querySelectorAll(":scope > .day").forEach((divider) => divider.remove());
    let last = null;
    for (const element of [...this.items.children]) {
      const newDay = !last || dayKey(last.dataset.at) !== dayKey(element.dataset.at);
      const close = last && new Date(element.dataset.at) - new Date(last.dataset.at) < GROUP;
      const plain = !last?.querySelector(":scope > .content > .thread-link");
      element.classList.toggle("grouped", Boolean(!newDay && close && plain && last.dataset.author === element.dataset.author));
      if (newDay && !this.inThread) element.before(h("li.day", {}, h("span", {}, dayName(element.dataset.at))));
      element.tabIndex = -1;
      last = element;
    }
    if (last) last.tabIndex = 0; // one stop for the tab key; arrows go on from there
  }

  /** Arrows, Home and End go from message to message. */
  walk(event) {
    const now = event.target.closest(".message");
    if (now !== event.target) return;
    const all = [...this.items.querySelectorAll(":scope > .message")];
    const at = all.indexOf(now);
    const next = { ArrowUp: all[at - 1], ArrowDown: all[at + 1], Home: all[0], End: all.at(-1) }[event.key];
    if (!next) return;
    event.preventDefault();
    now.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }

  /** Where the end is: the last message's end, or its beginning if it is taller than the screen. */
  end() {
    const { scrollHeight, clientHeight } = this.element;
    const last = this.items.lastElementChild;
    const bottom = scrollHeight - clientHeight;
    return last ? Math.min(bottom, last.offsetTop - 8) : bottom;
  }

  scrolled() {
    this.atEnd = this.element.scrollTop >= this.end() - NEAR;
    if (this.atEnd) this.jump.hidden = true;
  }

  toEnd() {
    this.element.scrollTop = Math.max(this.element.scrollTop, this.end());
    this.atEnd = true;
    this.jump.hidden = true;
  }

  /** Show one message to the reader. */
  point(id) {
    const element = this.find(id);
    if (!element) return false;
    this.atEnd = false;
    this.items.querySelectorAll(".target").forEach((other) => other.classList.remove("target"));
    element.classList.add("target");
    element.scrollIntoView({ block: "center" });
    element.focus({ preventScroll: true });
    return true;
  }

  close() {
    this.size.disconnect();
  }
}
