// Talking to the server. A request that failed on the way may be sent again: everything that writes carries an id.

/** What the server refused, with the sentence for people. */
export class Refused extends Error {
  constructor(status, { code = "", message = "", hint = "" } = {}) {
    super([message || "The server did not understand that.", hint].filter(Boolean).join(" "));
    this.status = status;
    this.code = code;
  }
}

/** A new id: 128 random bits. (crypto.randomUUID exists only on https and on this machine.) */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The page's own id: a dialog opens in the page whose button was pressed, and in no copy of it. */
export const client = newId();

let person = "1"; // whose page this is, once that is known

/** From now on every request says whose page it comes from: the browser may be somebody else's by now. */
export function speakAs(id) {
  person = id;
}

async function call(path, options = {}) {
  const response = await fetch(`/api${path}`, { credentials: "same-origin", ...options });
  const body = await response.json().catch(() => ({}));
  if (response.status === 401 || body.error?.code === "other_person") location.reload();
  if (!response.ok) throw new Refused(response.status, body.error);
  return body;
}

export const get = (path) => call(path);

export const post = (path, body) =>
  call(path, {
    method: "POST",
    headers: { "content-type": "application/json", "x-bosun": person },
    body: JSON.stringify(body),
  });

export const upload = (file) =>
  call(`/files?name=${encodeURIComponent(file.name)}`, {
    method: "POST",
    headers: { "content-type": "application/octet-stream", "x-bosun": person },
    body: file,
  });
