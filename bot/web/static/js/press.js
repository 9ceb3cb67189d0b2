// A pressed button: a second question if it needs one, then to the server. The card changes only when the server says so.

import { client, newId, post, Refused } from "./api.js";
import { confirm, form } from "./dialogs.js";
import { toast } from "./toasts.js";

const PATIENCE = 4000; // then the button can be pressed again
let pressed = null; // the button that was pressed last, to give the focus back after a dialog

/** Handle a press of `button`, whose dataset says what it is. */
export async function press(button) {
  if (button.getAttribute("aria-busy") === "true") return;
  const action = JSON.parse(button.dataset.press);
  if (action.confirm && !(await confirm(action.confirm, button, action.style))) return;
  pressed = button;
  busy(button, true);
  try {
    await send(action, {}, button.dataset.message);
    setTimeout(() => busy(button, false), PATIENCE);
  } catch (error) {
    busy(button, false);
    toast(error instanceof Refused ? error.message : "That did not reach Bosun. Try again.", "bad");
  }
}

function busy(button, yes) {
  button.toggleAttribute("aria-busy", yes);
  if (yes) button.setAttribute("aria-busy", "true");
}

/** Something came back for the last press: its button can be pressed again. */
export function answered() {
  if (pressed) busy(pressed, false);
}

/** Show a dialog that Bosun opened in answer to a press in this tab. */
export function showForm(value) {
  const opener = pressed;
  answered();
  const message = opener?.dataset.message;
  form(value, (fields) => send(value, fields, message), opener);
}

function send({ subject, revision, verb }, fields, message) {
  const body = { id: newId(), client, subject, revision, verb, fields };
  return post("/press", message ? { ...body, message } : body);
}
