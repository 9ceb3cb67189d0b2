// The left rail: where one can go, what is new there, who one is.

import { avatar } from "./avatar.js";
import { post } from "./api.js";
import { h, morph } from "./dom.js";
import { icon } from "./icons.js";
import { state } from "./state.js";
import { noticeList, unseenNotices } from "./toasts.js";

const tabs = new BroadcastChannel("bosun");
tabs.addEventListener("message", () => location.reload());

export class Rail {
  constructor() {
    this.element = h("nav.rail", { "aria-label": "Workspace" });
  }

  /** Show the rail with `path` as where the reader is. */
  draw(path) {
    const { workspace, channels } = state.boot;
    const waiting = state.home?.waiting.length ?? 0;
    const next = h(
      "nav.rail",
      { "aria-label": "Workspace" },
      h("header.rail-head", {}, avatar({ id: "", name: "Bosun" }, "small"), h("strong", {}, workspace)),
      h(
        "div.rail-scroll",
        {},
        h(
          "ul",
          {},
          entry(path, "/home", "home", "Home"),
          entry(path, "/waiting", "inbox", "Waiting for me", { count: waiting }),
          entry(path, "/knowledge", "book", "Knowledge"),
        ),
        h("h2", {}, "Channels"),
        h("ul", {}, channels.filter((channel) => !channel.dm).map((channel) => this.channel(path, channel, "hash"))),
        h("h2", {}, "Direct messages"),
        h("ul", {}, channels.filter((channel) => channel.dm).map((channel) => this.channel(path, channel))),
      ),
      foot(),
    );
    morph(this.element, next);
  }

  channel(path, channel, sign) {
    const here = path.split("/t/")[0];
    return entry(here, `/c/${channel.id}`, sign, channel.name, { unread: state.unread.has(channel.id), who: !sign && { id: "", name: "Bosun" } });
  }
}

function entry(path, href, sign, words, { count = 0, unread = false, who = null } = {}) {
  return h(
    "li",
    {},
    h(
      "a.entry",
      { href, class: unread || count ? "unread" : "", "aria-current": path === href && "page" },
      sign ? icon(sign) : avatar(who, "tiny"),
      h("span.entry-name", {}, words),
      unread && h("span.dot", {}, h("span.unseen", {}, " (new messages)")),
      count > 0 && h("span.badge", {}, count),
    ),
  );
}

function foot() {
  const { me, demo } = state.boot;
  const unseen = unseenNotices();
  return h(
    "footer.rail-foot",
    {},
    h("div.me", {}, avatar(me), h("div", {}, h("strong", {}, me.name), h("span.small", {}, me.roles.join(", ") || "Member"))),
    h(
      "button.icon-button.bell",
      { type: "button", "data-act": "notices", "aria-haspopup": "dialog", title: "Private notices", "aria-label": unseen ? `Private notices, ${unseen} new` : "Private notices" },
      icon("bell"),
      unseen > 0 && h("span.dot"),
    ),
    !demo && h("button.icon-button", { type: "button", "data-act": "logout", title: "Sign out", "aria-label": "Sign out" }, icon("leave")),
  );
}

/** The list of private notices, in a dialog. */
export function showNotices(opener) {
  const dialog = h(
    "dialog.wide",
    { "aria-labelledby": "dialog-title", onclose: () => (dialog.remove(), opener?.isConnected && opener.focus()) },
    h(
      "form",
      { method: "dialog" },
      h("header", {}, h("h2", { id: "dialog-title" }, "Private notices"), h("button.icon-button", { "aria-label": "Close" }, icon("close"))),
      noticeList(),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
}

/** The banner of demo mode, with the persona switch. */
export function demoBanner() {
  const { me, people, demo } = state.boot;
  if (!demo) return null;
  return h(
    "div.demo",
    { role: "region", "aria-label": "Demo mode" },
    h("p", {}, h("strong", {}, "Demo"), h("span.demo-words", {}, "These people are invented. See what each of them sees:")),
    h(
      "ul",
      {},
      people.map((person) =>
        h(
          "li",
          {},
          h(
            "button.persona",
            {
              type: "button",
              "data-act": "persona",
              "data-person": person.id,
              "aria-pressed": String(person.id === me.id),
              title: person.roles.length ? `${person.name}: ${person.roles.join(", ")}` : person.name,
            },
            avatar(person, "tiny"),
            person.name.split(" ")[0],
          ),
        ),
      ),
    ),
  );
}

/** Become another demo person. */
export async function become(person) {
  await post("/persona", { person });
  tabs.postMessage("reload"); // the other tabs of this browser are somebody else now
  const path = location.pathname.startsWith("/c/dm-") ? `/c/dm-${person}` : location.pathname;
  location.assign(path);
}

export async function signOut() {
  await post("/logout", {});
  tabs.postMessage("reload");
  location.assign("/");
}
