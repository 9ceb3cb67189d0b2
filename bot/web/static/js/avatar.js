// A person's initials on a colour that is always theirs; Bosun's mark.

import { h } from "./dom.js";
import { mark } from "./icons.js";
import { state } from "./state.js";

const COLOURS = 8;

function initials(name) {
  const words = name.trim().split(/\s+/);
  return ((words[0][0] ?? "?") + (words.length > 1 ? words.at(-1)[0] : "")).toUpperCase();
}

function colour(id) {
  const place = state.boot.people.findIndex((person) => person.id === id);
  if (place >= 0) return place % COLOURS; // the first eight of the team differ
  let sum = 7;
  for (const letter of id) sum = (sum * 31 + letter.codePointAt(0)) % 9973;
  return sum % COLOURS;
}

/** The avatar of {id, name}; an empty id is Bosun. */
export function avatar(who, className = "") {
  if (!who.id) return h("span.avatar.bosun", { class: className, "aria-hidden": true }, mark());
  return h("span", { class: `avatar tint-${colour(who.id)} ${className}`, "aria-hidden": true }, initials(who.name));
}
