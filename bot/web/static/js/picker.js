// The list above the composer: whom to address after "@", what to order after "/".

import { avatar } from "./avatar.js";
import { fill, h } from "./dom.js";
import { state } from "./state.js";

const AT = /(?:^|\s)@([\w.-]*(?:\s[\w.-]*)?)$/;
const SLASH = /^\/([\w]*)$/;
const MOST = 8;

/** What could be meant by the text before the cursor: {from, items}, or null. */
function suggestions(before) {
  const command = SLASH.exec(before);
  if (command) return { from: 0, items: commands(command[1].toLowerCase()) };
  const at = AT.exec(before);
  if (!at) return null;
  return { from: before.length - at[1].length - 1, items: names(at[1].toLowerCase()) };
}

function commands(typed) {
  return state.boot.commands
    .filter((command) => command.name.startsWith(typed))
    .map(({ name, usage, description }) => ({ insert: `/${name} `, title: `/${name}`, hint: usage, detail: description }));
}

function names(typed) {
  const bosun = { insert: "@bosun ", title: "Bosun", detail: "Chooses who answers", who: { id: "", name: "Bosun" } };
  const agents = state.boot.agents.map(({ name, description }) => ({
    insert: `@bosun ${name}: `,
    title: `Bosun ${name}`,
    detail: description,
    who: { id: "", name: "Bosun" },
  }));
  const people = state.boot.people
    .filter((person) => person.id !== state.boot.me.id)
    .map((person) => ({ insert: `@${person.id} `, title: person.name, detail: person.roles.join(", "), who: person }));
  const fits = ({ title, insert }) =>
    title.toLowerCase().startsWith(typed) ||
    insert.toLowerCase().startsWith(`@${typed}`) ||
    title.toLowerCase().split(" ").some((word) => word.startsWith(typed));
  return [bosun, ...agents, ...people].filter(fits);
}

export class Picker {
  constructor(textarea, id) {
    this.textarea = textarea;
    this.id = id;
    this.element = h("ul.picker", { id, role: "listbox", "aria-label": "Suggestions", hidden: true });
    this.items = [];
    this.chosen = 0;
    textarea.setAttribute("aria-autocomplete", "list");
    textarea.setAttribute("aria-controls", id);
  }

  get isOpen() {
    return !this.element.hidden;
  }

  /** Follow what is being typed. */
  update() {
    const { value, selectionStart, selectionEnd } = this.textarea;
    const found = selectionStart === selectionEnd ? suggestions(value.slice(0, selectionStart)) : null;
    this.items = found?.items.slice(0, MOST) ?? [];
    if (!this.items.length) return this.close();
    this.from = found.from;
    this.chosen = 0;
    this.element.hidden = false;
    this.draw();
  }

  draw() {
    fill(
      this.element,
      this.items.map((item, index) =>
        h(
          "li",
          {
            id: `${this.id}-${index}`,
            role: "option",
            "aria-selected": String(index === this.chosen),
            onpointerdown: (event) => {
              event.preventDefault();
              this.take(index);
            },
          },
          item.who ? avatar(item.who, "small") : h("span.command-sign", { "aria-hidden": true }, "/"),
          h("span.picker-title", {}, item.title, item.hint && h("span.picker-usage", {}, ` ${item.hint}`)),
          h("span.small.picker-detail", {}, item.detail),
        ),
      ),
    );
    this.textarea.setAttribute("aria-activedescendant", `${this.id}-${this.chosen}`);
    this.element.children[this.chosen].scrollIntoView({ block: "nearest" });
  }

  take(index = this.chosen) {
    const { value, selectionStart } = this.textarea;
    const text = this.items[index].insert;
    this.textarea.setRangeText(text, this.from, selectionStart, "end");
    if (value[selectionStart] === " ") this.textarea.setRangeText("", this.textarea.selectionStart, this.textarea.selectionStart + 1, "end");
    this.close();
    this.textarea.dispatchEvent(new Event("input"));
    this.close();
  }

  close() {
    this.element.hidden = true;
    this.textarea.removeAttribute("aria-activedescendant");
  }

  /** Whether what is chosen has been typed to its end. */
  isTyped() {
    const { value, selectionStart } = this.textarea;
    return value.slice(this.from, selectionStart).toLowerCase() === this.items[this.chosen].insert.trim().toLowerCase();
  }

  /** Whether the key was for the list. */
  key(event) {
    if (!this.isOpen || event.isComposing) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      this.chosen = (this.chosen + step + this.items.length) % this.items.length;
      this.draw();
    } else if (event.key === "Enter" && this.isTyped()) {
      this.close();
      return false; // it is all there: Enter sends it
    } else if (event.key === "Enter" || event.key === "Tab") {
      this.take();
    } else if (event.key === "Escape") {
      this.close();
    } else {
      return false;
    }
    event.preventDefault();
    return true;
  }
}
