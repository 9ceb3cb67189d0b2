// One message: who, when, what. Text, progress, card or files; always built anew and morphed into what is shown.

import { avatar } from "./avatar.js";
import { actions, card } from "./card.js";
import { h, markup } from "./dom.js";
import { icon } from "./icons.js";
import { progress } from "./progress.js";
import { me, state, workingIn } from "./state.js";
import { when } from "./time.js";

const REACTIONS = { eyes: ["eyes", "Bosun has seen this"], done: ["check", "Done"] };

/**
 * The message as an element. `inThread`: it stands in the thread pane, where a root has no link to its thread.
 * `dismiss`: it is a private notice, and this takes it away.
 */
export function messageElement(message, { inThread = false, dismiss = null } = {}) {
  return h(
    "li.message",
    {
      id: `${inThread ? "t" : "m"}-${message.id}`,
      class: `${message.author.id ? "by-person" : "by-bosun"} kind-${message.kind}${message.pending ? " pending" : ""}${dismiss ? " note" : ""}`,
      "data-key": message.id,
      "data-author": `${message.author.id}/${message.author.agent ?? ""}`,
      "data-at": message.at,
      tabindex: "-1",
    },
    h("div.gutter", {}, avatar(message.author), when(message.at, "clock", "gutter-time")),
    h(
      "div.content",
      {},
      h(
        "div.byline",
        {},
        h("span.name", {}, message.author.name),
        message.author.agent && h("span.agent", {}, message.author.agent),
        when(message.at, "clock", "at"),
        dismiss && h("span.private", {}, icon("eyes"), "Only you see this"),
      ),
      body(message),
      message.files?.length > 0 && h("ul.files", {}, message.files.map(file)),
      message.pending && pending(message),
      (message.reactions?.length > 0 || message.marks?.length > 0) && signs(message),
      !inThread && !dismiss && !message.thread && threadLink(message),
      dismiss && h("button.text", { type: "button", onclick: dismiss }, "Dismiss"),
    ),
    !message.pending && !dismiss && toolbar(message, inThread),
  );
}

function body(message) {
  if (message.kind === "card") return card(message.card, message.id);
  if (message.kind === "progress") return progress(message);
  if (message.plain !== undefined) return h("div.prose.plain", {}, message.plain);
  return [
    h("div.prose", {}, copyable(markup(message.html))),
    message.sources?.length > 0 && sources(message),
    message.actions?.length > 0 && actions(message.actions, message.private ? "" : message.id),
    message.footer && h("p.small", {}, message.footer),
    message.feedback?.length > 0 && thumbs(message),
  ];
}

/** Whether the answer helped. Pressing what is pressed takes it back. */
function thumbs(message) {
  const said = state.votes.get(message.feedback[0].subject);
  return h(
    "div.thumbs",
    { role: "group", "aria-label": "Did this answer help?" },
    message.feedback.map((one) => thumb(message, one, said === one.verb)),
    h("span.small", { role: "status" }, said && "Thanks, noted"),
  );
}

function thumb(message, { verb, label, ...one }, pressed) {
  const sent = JSON.stringify({ ...one, verb: pressed ? "withdraw" : verb });
  return h(
    "button.icon-button.thumb",
    {
      type: "button",
      title: pressed ? `${label}: take it back` : label,
      "aria-label": label,
      "aria-pressed": String(pressed),
      "aria-haspopup": one.opens_form && !pressed && "dialog",
      "data-act": "press",
      "data-message": message.id,
      "data-press": sent,
    },
    icon(verb === "helpful" ? "thumb-up" : "thumb-down"),
  );
}

/** The same, with a button on each block of code that copies it. */
function copyable(content) {
  for (const pre of content.querySelectorAll("pre")) {
    const box = h("div.code");
    const copy = { type: "button", title: "Copy", "aria-label": "Copy the code", "data-act": "copy-code" };
    pre.replaceWith(box);
    box.append(pre, h("button.icon-button", copy, icon("copy")));
  }
  return content;
}

/** The numbered sources of an answer, each with the passage that it quotes. */
function sources(message) {
  const count = message.sources.length;
  return h(
    "details.sources",
    {},
    h("summary", {}, icon("book"), count === 1 ? "1 source" : `${count} sources`, icon("right")),
    h(
      "ol",
      {},
      message.sources.map((source) =>
        h(
          "li",
          { value: source.number },
          h("span.cite", { "aria-hidden": true }, source.number),
          h(
            "div",
            {},
            source.url ? h("a", { href: source.url, target: "_blank", rel: "noopener" }, source.title) : source.title,
            source.quote && h("blockquote", {}, source.quote),
          ),
        ),
      ),
    ),
  );
}

function file(item) {
  const url = `/files/${item.id}`;
  const isPicture = /^image\/(png|jpeg|gif|webp)$/.test(item.media_type);
  return h(
    "li",
    {},
    isPicture && h("a.picture", { href: url, download: item.name }, h("img", { src: url, alt: item.alt || item.name })),
    h(
      "a.file",
      { href: url, download: item.name },
      icon("file"),
      h("span.file-name", {}, item.name),
      h("span.small", {}, size(item.size)),
    ),
  );
}

export function size(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1_048_576 ? `${Math.round(bytes / 1024)} KB` : `${(bytes / 1_048_576).toFixed(1)} MB`;
}

function signs(message) {
  return h("div.reactions", {}, (message.reactions ?? []).map(reaction), (message.marks ?? []).map((one) => mark(message, one)));
}

/** People's emoji, with how many; pressing it joins them or takes one's own off. */
function mark(message, { emoji, by }) {
  const mine = by.some((who) => who.id === me().id);
  const names = by.map((who) => who.name).join(", ");
  return h(
    "button.reaction.mark",
    {
      type: "button",
      title: names,
      "aria-label": `${emoji} by ${names}`,
      "aria-pressed": String(mine),
      "data-act": "react",
      "data-message": message.id,
      "data-emoji": emoji,
    },
    h("span", { "aria-hidden": true }, emoji),
    h("span.count", { "aria-hidden": true }, by.length),
  );
}

function palette(message) {
  return h(
    "details.palette",
    {},
    h("summary.icon-button", { title: "React", "aria-label": "React" }, icon("smile")),
    h(
      "div.choices",
      { role: "group", "aria-label": "Reactions" },
      state.boot.signs.map((emoji) =>
        h(
          "button.icon-button",
          { type: "button", "aria-label": `React with ${emoji}`, "data-act": "react", "data-message": message.id, "data-emoji": emoji },
          emoji,
        ),
      ),
    ),
  );
}

function reaction(name) {
  const [picture, words] = REACTIONS[name] ?? ["spark", name];
  return h("span.reaction", { title: words, role: "img", "aria-label": words }, icon(picture));
}

function pending(message) {
  if (!message.failed) return h("p.small.sending", {}, "Sending …");
  return h(
    "p.small.failed",
    { role: "alert" },
    icon("alert"),
    message.failed,
    h("button.text", { type: "button", "data-act": "retry", "data-id": message.id }, "Send again"),
    h("button.text", { type: "button", "data-act": "discard", "data-id": message.id }, "Discard"),
  );
}

const STATES = { processing: ["working", "Working"], suspended: ["waiting", "Waits for people"] };

function threadLink(message) {
  const working = STATES[workingIn(message.channel, message.id)];
  if (!message.replies && !working) return null;
  const words = message.replies === 1 ? "1 reply" : `${message.replies} replies`;
  return h(
    "a.thread-link",
    { href: `/c/${message.channel}/t/${message.id}`, "data-thread": message.id },
    h("span.stack", {}, message.repliers.map((who) => avatar(who, "tiny"))),
    h("span.count", {}, message.replies ? words : "Thread"),
    working && h("span.state", { class: working[0] }, working[1]),
    message.repliedAt && when(message.repliedAt, "near", "small"),
    icon("right"),
  );
}

const ABOUT = "Ask about this";
const about = (message) => JSON.stringify({ subject: `ASK-${message.id}`, revision: 0, verb: "about" });

function toolbar(message, inThread) {
  const path = message.thread ? `/c/${message.channel}/t/${message.thread}` : `/c/${message.channel}`;
  return h(
    "div.toolbar",
    { role: "group", "aria-label": "Message" },
    palette(message),
    !inThread &&
      !message.channel.startsWith("dm-") &&
      h(
        "a.icon-button",
        { href: `/c/${message.channel}/t/${message.id}`, title: "Reply in thread", "aria-label": "Reply in thread" },
        icon("reply"),
      ),
    h(
      "button.icon-button",
      { type: "button", title: ABOUT, "aria-label": ABOUT, "data-act": "press", "data-message": message.id, "data-press": about(message) },
      icon("spark"),
    ),
    h(
      "button.icon-button",
      { type: "button", title: "Copy link", "aria-label": "Copy link", "data-act": "copy-link", "data-path": `${path}#m-${message.id}` },
      icon("link"),
    ),
  );
}
