// Times in the reader's own zone and language, kept true while they are on the screen.

import { h } from "./dom.js";

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: "short", hour: "2-digit", minute: "2-digit" });
const date = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "short" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto", style: "narrow" });

const sameDay = (one, other) => one.toDateString() === other.toDateString();

function near(time) {
  const now = new Date();
  if (sameDay(time, now)) return clock.format(time);
  return Math.abs(time - now) < 6 * 86_400_000 ? weekday.format(time) : date.format(time);
}

function distance(time) {
  const seconds = (time - Date.now()) / 1000;
  const units = [["day", 86_400], ["hour", 3600], ["minute", 60]];
  for (const [unit, size] of units) {
    if (Math.abs(seconds) >= size * (unit === "minute" ? 1 : 1.5)) return relative.format(Math.round(seconds / size), unit);
  }
  return seconds > 0 ? "in less than a minute" : "just now";
}

const FORMATS = {
  clock: (time) => clock.format(time),
  near,
  ago: distance,
  expires: (time) => (time > Date.now() ? `Expires ${distance(time)} · ${near(time)}` : `Expired ${near(time)}`),
};

/** A time element that shows `iso` as "clock", "near", "ago" or "expires". */
export function when(iso, format, className = "") {
  const time = new Date(iso);
  return h("time", { class: className, datetime: iso, "data-format": format, title: full.format(time) }, FORMATS[format](time));
}

/** The heading of a day: "Today", "Yesterday", "Monday 2 March". */
export function dayName(iso) {
  const time = new Date(iso);
  const now = new Date();
  if (sameDay(time, now)) return "Today";
  return sameDay(time, new Date(now - 86_400_000)) ? "Yesterday" : day.format(time);
}

export const dayKey = (iso) => new Date(iso).toDateString();

// As kernel/moments.py writes it.
const written = /(\b\d\d (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d(?::\d\d)? UTC\b)/;

/** A plain text as a list of pieces, in which every moment is a time element. */
export function timed(text) {
  return text.split(written).map((piece, number) => {
    const time = number % 2 ? new Date(piece) : null;
    return time && !Number.isNaN(time.getTime()) ? when(time.toISOString(), "near") : piece;
  });
}

/** Show every moment below `root` in the reader's own zone. */
export function localise(root) {
  for (const element of root.querySelectorAll("time[data-format]")) {
    const time = new Date(element.getAttribute("datetime"));
    const text = FORMATS[element.dataset.format](time);
    if (!element.title) element.title = full.format(time);
    if (element.textContent !== text) element.textContent = text;
  }
}

localise(document);
setInterval(() => localise(document), 10_000);
