// Starts the chat: asks for the state, shows where the address points, and keeps everything up to date.

import { get, post, speakAs } from "./api.js";
import { $, fill, h, markup } from "./dom.js";
import { HomePane } from "./home.js";
import { ChannelPane, ThreadPane } from "./panes.js";
import { answered, press, showForm } from "./press.js";
import { become, demoBanner, Rail, showNotices, signOut } from "./rail.js";
import { retry, retryAll } from "./sending.js";
import { channelOf, emit, forget, learn, learnVote, me, on, refreshHome, state } from "./state.js";
import { connect } from "./stream.js";
import { missedNotices, notice, toast } from "./toasts.js";

const wide = matchMedia("(min-width: 60rem)");
const rail = new Rail();
const main = h("main.main", { id: "main", tabindex: "-1" });
const connection = h("p.connection", { role: "status", hidden: true });
let middle = null;
let thread = null;

// -- where the reader is ------------------------------------------------------------------------------------------

const ROUTE = /^\/c\/([^/]+)(?:\/t\/([^/]+))?\/?$/;

function firstPath() {
  const last = sessionStorage.getItem("bosun.last");
  const channel = channelOf(last) ?? state.boot.channels[0];
  return channel ? `/c/${channel.id}` : "/home";
}

/** Go to a path of the chat. */
function go(path, { replace = false } = {}) {
  if (path !== location.pathname + location.hash) history[replace ? "replaceState" : "pushState"]({}, "", path);
  show();
}

let turn = 0;
async function show() {
  turn += 1;
  const mine = turn; // whoever clicks faster than the server answers sees the last click
  if (location.pathname === "/") return go(firstPath(), { replace: true });
  document.body.classList.remove("rail-open");
  const [, channelId, root] = ROUTE.exec(location.pathname) ?? [];
  const channel = channelOf(channelId);
  if (channelId && !channel) return go(firstPath(), { replace: true });
  document.body.classList.toggle("in-thread", Boolean(root));
  await (channel ? showChannel(channel) : showHome());
  if (mine === turn) await showThread(channel, root);
  if (mine !== turn) return;
  rail.draw(location.pathname);
  title();
  point(root);
}

async function showChannel(channel) {
  sessionStorage.setItem("bosun.last", channel.id);
  if (middle?.channel === channel) return markRead(channel.id);
  swap(new ChannelPane(channel, { openRail, sent: openThreadOf }));
  await middle.load();
  if (!wide.matches) main.focus(); // the rail, where the focus was, slides away
  else if (!location.pathname.includes("/t/")) middle.composer.focus();
  markRead(channel.id);
}

function showHome() {
  const only = location.pathname === "/waiting" ? "waiting" : "";
  if (!(middle instanceof HomePane) || middle.only !== only) swap(new HomePane({ only, openRail, ask }));
  middle.refresh();
  refreshHome(0);
}

function swap(pane) {
  middle?.close();
  middle = pane;
  main.prepend(pane.element);
}

async function showThread(channel, root) {
  if (thread?.root === root) return;
  thread?.close();
  thread = null;
  if (!root) return;
  thread = new ThreadPane(channel, root, { close: () => closeThread() });
  main.append(thread.element);
  const opened = thread;
  try {
    await opened.load();
    if (wide.matches) opened.composer.focus();
    else opened.element.focus();
  } catch {
    toast("That thread is not there, or you may not read it.", "warn");
    go(`/c/${channel.id}`, { replace: true });
  }
}

function closeThread() {
  const root = thread?.root;
  go(`/c/${middle.channel.id}`);
  $(`#m-${CSS.escape(root)} .thread-link`)?.focus();
}

/** A mention in a channel is answered in its thread: open it where there is room beside the channel. */
function openThreadOf(message) {
  const asks = /(^|[^\w@./])@bosun\b/i.test(message.plain ?? "");
  if (asks && wide.matches && !middle.channel.dm) go(`/c/${message.channel}/t/${message.id}`);
}

function point(root) {
  const id = location.hash.startsWith("#m-") ? location.hash.slice(3) : "";
  if (!id) return;
  if (!(root && thread?.list.point(id))) middle?.list?.point(id);
}

function ask(text) {
  const dm = state.boot.channels.find((channel) => channel.dm);
  go(`/c/${dm.id}`);
  show().then(() => middle.composer?.propose(text));
}

function openRail() {
  document.body.classList.add("rail-open");
  $(".rail a")?.focus();
}

function title() {
  const where = middle instanceof HomePane ? (middle.only ? "Waiting for me" : "Home") : `${middle.channel.dm ? "" : "#"}${middle.channel.name}`;
  const waiting = state.home?.waiting.length ?? 0;
  document.title = `${waiting ? `(${waiting}) ` : ""}${where} · ${state.boot.workspace}`;
}

// -- what changes -------------------------------------------------------------------------------------------------

on("message", ({ message, fresh }) => {
  middle?.take?.(message);
  thread?.take(message);
  if (message.pending) return;
  const mine = message.author.id === me().id;
  if (fresh && !mine && document.hasFocus() && middle?.channel?.id === message.channel) markRead(message.channel);
  else if (fresh && !mine && message.number > (state.read.get(message.channel) ?? 0)) unread(message.channel);
  announce(message);
  if (message.kind !== "text") refreshHome();
});
on("vote", (messages) =>
  messages.forEach((message) => {
    middle?.take?.(message);
    thread?.take(message);
  }),
);
on("forgotten", (id) => {
  middle?.list?.remove(id);
  thread?.list.remove(id);
});
on("thread", ({ channel, thread: root }) => {
  const message = state.messages.get(root);
  if (message) middle?.take?.(message);
  if (thread?.root === root) thread.status(thread.messages());
  if (middle?.channel?.id === channel) middle.refresh();
  refreshHome();
});
on("home", () => {
  if (middle instanceof HomePane) middle.refresh();
  rail.draw(location.pathname);
  title();
});
on("notices", () => rail.draw(location.pathname));

let started = false;
const announced = new Map(); // id -> words
/** Say a finished message once to a screen reader, if it stands in front of the reader. */
function announce(message) {
  const visible = thread?.root === message.thread || (middle?.channel?.id === message.channel && !message.thread);
  if (!started || !visible || message.kind === "progress" || message.author.id === me().id) return;
  const shown = $(`#${message.thread ? "t" : "m"}-${CSS.escape(message.id)} .content`);
  const words = message.kind === "card" ? `${message.card.headline}. ${message.card.state}` : (shown?.querySelector(".prose")?.textContent ?? "");
  if (announced.get(message.id) === words) return;
  announced.set(message.id, words);
  say(message.author.name, words);
}

/** Say something to a screen reader. */
function say(name, words) {
  $("#announcer").append(h("p", {}, `${name}: ${words.slice(0, 400)}`));
  while ($("#announcer").children.length > 20) $("#announcer").firstChild.remove();
}

/** Show a private notice in the pane that it belongs to; false where none is open. */
function noteHere(value) {
  const pane = [thread, middle].find((one) => one?.note?.(value));
  if (pane) say(value.agent ? `Bosun ${value.agent}` : "Bosun", `${markup(value.html).textContent} Only you see this.`);
  return Boolean(pane);
}

function unread(channel) {
  if (state.unread.has(channel)) return;
  state.unread.add(channel);
  rail.draw(location.pathname);
}

function markRead(channel) {
  const number = Math.max(0, ...[...state.messages.values()].filter((one) => one.channel === channel && !one.pending).map((one) => one.number));
  state.unread.delete(channel);
  rail.draw(location.pathname);
  if (number <= (state.read.get(channel) ?? 0)) return;
  state.read.set(channel, number);
  post("/read", { channel, number }).catch(() => state.read.delete(channel));
}

let lost = null;
function connectionIs(now) {
  clearTimeout(lost);
  if (now === "live") {
    connection.hidden = true;
    retryAll();
    return refreshHome();
  }
  lost = setTimeout(() => {
    connection.hidden = false;
    fill(connection, h("span.spinner", { "aria-hidden": true }), "Connection lost. Reconnecting; what you write is kept.");
  }, 800);
}

// -- what the reader does -----------------------------------------------------------------------------------------

/** Put a text on the clipboard, where the browser lets us. */
async function copy(text, said) {
  try {
    await navigator.clipboard.writeText(text);
    toast(said);
  } catch {
    toast("The browser did not let me copy it. Mark it and copy it yourself.", "warn");
  }
}

const ACTS = {
  press: (button) => press(button),
  retry: (button) => retry(button.dataset.id),
  react: async (button) => {
    const { message, emoji } = button.dataset;
    const mark = state.messages.get(message)?.marks?.find((one) => one.emoji === emoji);
    const on = !mark?.by.some((who) => who.id === me().id);
    button.closest("details")?.removeAttribute("open");
    await post("/react", { message, emoji, on }).catch((error) => toast(error.message, "warn"));
  },
  discard: (button) => forget(button.dataset.id),
  notices: (button) => showNotices(button),
  persona: (button) => button.getAttribute("aria-pressed") === "true" || become(button.dataset.person),
  logout: () => signOut(),
  "copy-link": (button) => copy(location.origin + button.dataset.path, "Link copied."),
  "copy-code": (button) => copy(button.parentElement.querySelector("pre").textContent.trimEnd(), "Copied."),
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-act]");
  if (button) return void ACTS[button.dataset.act](button);
  if (document.body.classList.contains("rail-open") && !event.target.closest(".rail, .to-rail")) document.body.classList.remove("rail-open");
  const link = event.target.closest("a[href]");
  if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const url = new URL(link.href);
  const ours = url.origin === location.origin && (ROUTE.test(url.pathname) || ["/home", "/waiting"].includes(url.pathname));
  if (!ours || link.hasAttribute("download")) return;
  event.preventDefault();
  go(url.pathname + url.hash);
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open]")) return;
  if (document.body.classList.contains("rail-open")) document.body.classList.remove("rail-open");
  else if (thread) closeThread();
});
addEventListener("popstate", show);
addEventListener("focus", () => middle?.channel && markRead(middle.channel.id));

// -- start --------------------------------------------------------------------------------------------------------

async function start() {
  const boot = await get("/boot");
  state.boot = boot;
  speakAs(boot.me.id);
  state.notices = boot.notices;
  boot.unread.forEach((channel) => state.unread.add(channel));
  boot.busy.forEach((busy) => state.working.set(`${busy.channel}/${busy.thread}`, busy.state));
  const app = $("#app");
  fill(app, demoBanner(), h("div.frame", {}, rail.element, main), connection);
  app.removeAttribute("aria-busy");
  rail.draw(location.pathname);
  connect(
    boot.cursor,
    {
      message: learn,
      notice: (value) => {
        answered();
        notice(value, noteHere);
        refreshHome(); // what was pressed may have changed it
      },
      form: showForm,
      vote: (value) => {
        answered();
        learnVote(value);
      },
      thread: (row) => {
        state.working.set(`${row.channel}/${row.thread}`, row.state);
        emit("thread", row);
      },
    },
    connectionIs,
  );
  await show();
  missedNotices(noteHere);
  started = true;
}

start().catch((error) => {
  fill($("#app"), h("p.booting", { role: "alert" }, `The chat could not be opened. ${error.message}`));
});
