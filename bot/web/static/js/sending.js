// Messages on their way: shown at once, sent again under the same id until the server has them.

import { post, Refused } from "./api.js";
import { forget, learn, me, state } from "./state.js";
import { toast } from "./toasts.js";

/** Show a message as pending and send it. */
export function sendMessage({ id, channel, thread, text, files }) {
  const message = {
    id,
    seq: 0,
    number: Number.MAX_SAFE_INTEGER,
    channel,
    thread: thread ?? "",
    at: new Date().toISOString(),
    author: { ...me(), agent: null },
    kind: "text",
    plain: text,
    files,
    replies: 0,
    repliers: [],
    pending: true,
  };
  if (!text.startsWith("/")) learn(message);
  deliver(message);
  return message;
}

async function deliver(message) {
  const { id, channel, thread, plain: text, files } = message;
  const body = { id, channel, text, files: files.map((file) => file.id), ...(thread && { thread }) };
  try {
    const answer = await post("/messages", body);
    if (answer.message) learn(answer.message);
    else forget(id);
  } catch (error) {
    if (text.startsWith("/")) return toast(error instanceof Refused ? error.message : "That did not reach Bosun.", "bad");
    if (!state.messages.get(id)?.pending) return; // it arrived: the stream said so
    const why = error instanceof Refused ? error.message : "Not sent: no connection.";
    state.messages.delete(id);
    learn({ ...message, failed: why, lost: !(error instanceof Refused) || error.status >= 500 });
  }
}

/** Send a failed message again. */
export function retry(id) {
  const { failed, lost, ...message } = state.messages.get(id) ?? {};
  if (!failed) return;
  state.messages.delete(id);
  learn(message);
  deliver(message);
}

/** Send again whatever failed for want of a connection. */
export function retryAll() {
  for (const message of state.messages.values()) if (message.lost) retry(message.id);
}
