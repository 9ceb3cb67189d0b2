// The stream of changes: resumes where it stopped, says when the connection is lost, and rests in hidden tabs.

import { client } from "./api.js";

const SILENCE = 40_000; // the server says something every 15 s
const REST = 60_000; // a hidden tab gives its connection back: browsers allow six per address

/** Connect and keep connected. `handlers` by event name; `onstate` gets "live" or "lost". */
export function connect(cursor, handlers, onstate) {
  let source = null;
  let heard = Date.now();
  let retry = null;
  let rest = null;

  function open() {
    clearTimeout(retry);
    source?.close();
    source = new EventSource(`/api/events?client=${client}&after=${cursor}`);
    heard = Date.now();
    for (const [name, handle] of Object.entries(handlers)) {
      source.addEventListener(name, (event) => {
        heard = Date.now();
        handle(JSON.parse(event.data));
        cursor = Math.max(cursor, Number(event.lastEventId) || 0);
      });
    }
    source.addEventListener("ping", () => (heard = Date.now()));
    source.addEventListener("ready", () => {
      heard = Date.now();
      onstate("live");
    });
    source.addEventListener("error", () => {
      onstate("lost");
      source.close(); // opened again by ourselves: the browser gives up on some errors
      clearTimeout(retry);
      retry = setTimeout(open, 1000 + Math.random() * 1000);
    });
  }

  setInterval(() => {
    if (source && Date.now() - heard > SILENCE) {
      onstate("lost");
      open();
    }
  }, 5000);
  addEventListener("online", () => source && open());
  document.addEventListener("visibilitychange", () => {
    clearTimeout(rest);
    if (!document.hidden) return source || open();
    rest = setTimeout(() => {
      clearTimeout(retry);
      source?.close();
      source = null;
    }, REST);
  });
  addEventListener("pagehide", () => source?.close());
  addEventListener("pageshow", (event) => event.persisted && open());
  open();
}
