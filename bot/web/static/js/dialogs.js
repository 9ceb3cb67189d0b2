// Dialogs: forms that Bosun opens, a second question before risky buttons. Focus goes back to where it was.

import { Refused } from "./api.js";
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";

/** Show a dialog with this content; resolves with its return value when it is closed. */
function open(dialog, opener) {
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      giveBackFocus(opener);
      resolve(dialog.returnValue);
    });
  });
}

function giveBackFocus(opener) {
  if (opener?.isConnected) return opener.focus();
  const message = opener?.dataset.message;
  (document.querySelector(`[data-key="${CSS.escape(message || "-")}"]`) ?? document.querySelector("main"))?.focus();
}

function closer(dialog) {
  return h(
    "button.icon-button.dialog-close",
    { type: "button", "aria-label": "Close", onclick: () => dialog().close("") },
    icon("close"),
  );
}

/** Ask once more; true for yes. */
export async function confirm({ title, text, label }, opener, style = "primary") {
  const dialog = h(
    "dialog",
    { "aria-labelledby": "dialog-title", "aria-describedby": "dialog-text" },
    h(
      "form",
      { method: "dialog" },
      h("header", {}, h("h2", { id: "dialog-title" }, title), closer(() => dialog)),
      h("p", { id: "dialog-text" }, text),
      h(
        "footer",
        {},
        h("button.button.plain", { type: "button", onclick: () => dialog.close("") }, "Cancel"),
        h("button.button", { class: style, value: "yes", autofocus: true }, label),
      ),
    ),
  );
  return (await open(dialog, opener)) === "yes";
}

/** Show a form. `submit(fields)` sends it; what it refuses is shown, and what was typed stays. */
export function form(value, submit, opener) {
  const problem = h("p.problem", { role: "alert" });
  const send = h("button.button", { class: value.verb === "reject" ? "danger" : "primary" }, value.submit);
  const dialog = h(
    "dialog",
    { class: value.fields.some((field) => field.multiline) ? "wide" : "", "aria-labelledby": "dialog-title" },
    h(
      "form",
      {
        novalidate: true,
        onsubmit: async (event) => {
          event.preventDefault();
          const fields = read(dialog, value);
          if (fields) await run();
          async function run() {
            send.disabled = true;
            fill(problem);
            try {
              await submit(fields);
              dialog.close("sent");
            } catch (error) {
              fill(problem, error instanceof Refused ? error.message : "That did not reach Bosun. Try again.");
              send.disabled = false;
            }
          }
        },
      },
      h(
        "header",
        {},
        h(
          "div",
          {},
          h("h2", { id: "dialog-title" }, value.title),
          /^[A-Z]+-[0-9A-Z]{4,}$/.test(value.subject) && !value.title.includes(value.subject) && h("p.small", {}, reference(value)),
        ),
        closer(() => dialog),
      ),
      value.note && h("p.note", {}, value.note),
      value.fields.map(field),
      problem,
      h("footer", {}, h("button.button.plain", { type: "button", onclick: () => dialog.close("") }, "Cancel"), send),
    ),
  );
  return open(dialog, opener);
}

const reference = (value) => (value.revision > 1 ? `${value.subject} · r${value.revision}` : value.subject);

function field(value, index) {
  const id = `field-${value.id}`;
  if (value.choices.length) return choices(value, id, index);
  const control = {
    id,
    name: value.id,
    maxlength: value.max_length,
    required: value.required,
    autofocus: index === 0,
    autocomplete: "off",
    spellcheck: value.multiline ? undefined : "false",
    "aria-describedby": `${id}-hint ${id}-problem`,
  };
  return h(
    "div.field",
    {},
    h("label", { for: id }, value.label, !value.required && h("span.small", {}, " (optional)")),
    value.multiline
      ? h("textarea", { ...control, rows: Math.min(14, Math.max(4, value.value.split("\n").length + 1)), value: value.value })
      : h("input", { ...control, type: "text", value: value.value }),
    value.hint && h("p.small", { id: `${id}-hint` }, value.hint),
    h("p.problem", { id: `${id}-problem` }),
  );
}

/** Up to ten choices: check boxes, or radio buttons where only one may be picked. */
function choices(value, id, index) {
  const picked = value.value.split("\n");
  return h(
    "fieldset.field.choices",
    { id, "aria-describedby": `${id}-hint ${id}-problem` },
    h("legend", {}, value.label, !value.required && h("span.small", {}, " (optional)")),
    value.choices.map((choice, number) =>
      h(
        "label.choice",
        {},
        h("input", {
          type: value.many ? "checkbox" : "radio",
          name: value.id,
          value: choice.value,
          checked: picked.includes(choice.value),
          autofocus: index === 0 && number === 0,
        }),
        h("span", {}, choice.label, choice.hint && h("span.small", {}, choice.hint)),
      ),
    ),
    value.hint && h("p.small", { id: `${id}-hint` }, value.hint),
    h("p.problem", { id: `${id}-problem` }),
  );
}

/** The fields' values, or null after pointing to the first one that is missing. */
function read(dialog, value) {
  const fields = {};
  let first = null;
  for (const item of value.fields) {
    const controls = [...dialog.querySelectorAll(`[name="${CSS.escape(item.id)}"]`)];
    const text = item.choices.length
      ? controls.filter((control) => control.checked).map((control) => control.value).join("\n")
      : controls[0].value;
    const missing = item.required && !text.trim();
    for (const control of controls) control.setAttribute("aria-invalid", missing);
    const problem = item.choices.length ? "Pick something." : "This is needed.";
    fill(dialog.querySelector(`#${CSS.escape(`field-${item.id}-problem`)}`), missing ? problem : "");
    if (missing) first ??= controls[0];
    fields[item.id] = text;
  }
  first?.focus();
  return first ? null : fields;
}
