// What the page knows. Everything that changes it says so by a topic; whoever shows it listens.

import { get } from "./api.js";

const listeners = new Map();

export const state = {
  boot: null,
  messages: new Map(), // id -> message
  timelines: new Map(), // channel -> {from: number of the first loaded message, more}
  threads: new Set(), // roots that are loaded
  working: new Map(), // "channel/thread" -> "processing" | "suspended"
  unread: new Set(), // channels
  votes: new Map(), // subject of the buttons below an answer -> verb of the one that I pressed
  read: new Map(), // channel -> number that was reported as read
  notices: [],
  home: null,
};

/** Call `listener(detail)` whenever `topic` changes. */
export function on(topic, listener) {
  if (!listeners.has(topic)) listeners.set(topic, []);
  listeners.get(topic).push(listener);
}

export function emit(topic, detail) {
  for (const listener of listeners.get(topic) ?? []) listener(detail);
}

/** Take in a message; an older state of it than the known one changes nothing. */
export function learn(message) {
  const known = state.messages.get(message.id);
  if (remember(message)) emit("message", { message, fresh: !known || known.pending });
}

/** Take in a message that was asked for: whoever asked shows it. */
function remember(message) {
  const known = state.messages.get(message.id);
  if (known && !known.pending && known.seq >= message.seq) return false;
  state.messages.set(message.id, message);
  return true;
}

/** Forget a message that was never sent. */
export function forget(id) {
  state.messages.delete(id);
  emit("forgotten", id);
}

const inOrder = (one, other) => one.number - other.number;

/** Whether a message belongs to the part of its channel that is loaded. */
export const isLoaded = (message) => message.number >= (state.timelines.get(message.channel)?.from ?? Infinity);

export const topLevel = (channel) =>
  [...state.messages.values()]
    .filter((message) => message.channel === channel && !message.thread && isLoaded(message))
    .sort(inOrder);

export const below = (root) => [...state.messages.values()].filter((message) => message.thread === root).sort(inOrder);

/** Load a channel's last messages, or with `earlier` the ones before those that are known. */
export async function loadTimeline(channel, earlier = false) {
  const known = state.timelines.get(channel);
  if (known && !earlier) return;
  const { messages, votes, more } = await get(`/channels/${channel}/messages${known ? `?before=${known.from}` : ""}`);
  const from = more ? messages[0].number : 0;
  state.timelines.set(channel, { from, more });
  voted(votes);
  messages.forEach(remember);
}

/** Load a thread. */
export async function loadThread(root) {
  if (state.threads.has(root)) return;
  if (state.messages.get(root)?.pending) return void state.threads.add(root); // new: what follows comes by the stream
  const { messages, votes } = await get(`/threads/${root}`);
  state.threads.add(root);
  voted(votes);
  messages.forEach(remember);
}

const voted = (votes) => Object.entries(votes).forEach(([subject, verb]) => state.votes.set(subject, verb));

/** Take in what I said of an answer, in this tab or in another one. */
export function learnVote({ subject, verb }) {
  if (verb) state.votes.set(subject, verb);
  else state.votes.delete(subject);
  emit("vote", [...state.messages.values()].filter((message) => message.feedback?.[0]?.subject === subject));
}

let homeTimer = null;
/** Ask for the dashboard again, soon; many requests in a row are one. */
export function refreshHome(delay = 150) {
  clearTimeout(homeTimer);
  homeTimer = setTimeout(async () => {
    state.home = await get("/home").catch(() => state.home);
    emit("home");
  }, delay);
}

export const me = () => state.boot.me;
export const channelOf = (id) => state.boot.channels.find((channel) => channel.id === id);
export const workingIn = (channel, thread) => state.working.get(`${channel}/${thread}`);
