// Where a message is written: grows with its text, Enter sends, files hang on, drafts stay.

import { newId, Refused, upload } from "./api.js";
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { size } from "./message.js";
import { Picker } from "./picker.js";
import { stopButton } from "./progress.js";
import { sendMessage } from "./sending.js";
import { state } from "./state.js";
import { toast } from "./toasts.js";

let count = 0;

export class Composer {
  /** `place`: {channel, thread}; `sent(message)` is called with every message that leaves. */
  constructor({ place, placeholder, sent = () => {} }) {
    this.place = place;
    this.sent = sent;
    this.files = [];
    this.draft = `bosun.draft.${state.boot.me.id}.${place.channel}.${place.thread ?? ""}`;
    count += 1;
    this.text = h("textarea", {
      rows: 1,
      placeholder,
      "aria-label": placeholder,
      maxlength: 20_000,
      value: sessionStorage.getItem(this.draft) ?? "",
      oninput: () => this.typed(),
      onclick: () => this.picker.update(),
      onblur: () => this.picker.close(),
      onkeydown: (event) => this.key(event),
      onpaste: (event) => this.pasted(event),
    });
    this.picker = new Picker(this.text, `picker-${count}`);
    this.chips = h("ul.attachments", { hidden: true, "aria-label": "Attached files" });
    this.chooser = h("input", { type: "file", multiple: true, hidden: true, onchange: () => this.attach(this.chooser) });
    this.send = h("button.send", { "aria-label": "Send", title: "Send (Enter)" }, icon("send"));
    this.stop = h("span.composer-stop");
    this.element = h(
      "form.composer",
      { onsubmit: (event) => this.submit(event) },
      this.picker.element,
      this.chips,
      this.text,
      h(
        "div.composer-bar",
        {},
        this.tool("clip", "Attach files", () => this.chooser.click()),
        this.tool("at", "Mention", () => this.mention()),
        this.chooser,
        h("span.composer-hint", {}, h("kbd", {}, "Shift"), " + ", h("kbd", {}, "Enter"), " for a new line"),
        this.stop,
        this.send,
      ),
    );
    this.typed();
  }

  tool(name, label, onclick) {
    return h("button.icon-button", { type: "button", title: label, "aria-label": label, onclick }, icon(name));
  }

  /** Offer to stop this run, or none. */
  offerStop(run, message) {
    if (this.stopRun === run) return;
    this.stopRun = run;
    fill(this.stop, run ? stopButton(run, message) : null);
  }

  focus() {
    this.text.focus();
  }

  /** Put a text in, ready to be sent or changed. */
  propose(text) {
    this.text.value = text;
    this.typed();
    this.picker.close();
    this.focus();
  }

  typed() {
    sessionStorage.setItem(this.draft, this.text.value);
    this.text.style.height = "auto";
    this.text.style.height = `${Math.min(this.text.scrollHeight, innerHeight * 0.4)}px`;
    this.send.disabled = !this.text.value.trim() && !this.files.length;
    if (document.activeElement === this.text) this.picker.update();
  }

  mention() {
    const { selectionStart, value } = this.text;
    const gap = selectionStart && !/\s/.test(value[selectionStart - 1]) ? " @" : "@";
    this.text.setRangeText(gap, selectionStart, selectionStart, "end");
    this.focus();
    this.typed();
  }

  key(event) {
    if (this.picker.key(event)) return;
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      this.element.requestSubmit();
    }
  }

  submit(event) {
    event.preventDefault();
    const text = this.text.value.trim();
    if (!text && !this.files.length) return;
    if (this.files.some((file) => !file.id)) return toast("A file is still on its way.");
    const files = this.files;
    this.files = [];
    this.text.value = "";
    this.drawFiles();
    this.typed();
    this.picker.close();
    this.sent(sendMessage({ id: newId(), ...this.place, text, files }));
  }

  // -- files ------------------------------------------------------------------------------------------------------

  pasted(event) {
    if (!event.clipboardData.files.length) return;
    event.preventDefault();
    this.attach(event.clipboardData);
  }

  /** Upload what a chooser, a paste or a drop holds. */
  async attach(holder) {
    const { bytes, files: most } = state.boot.limits;
    for (const file of [...holder.files]) {
      if (this.files.length >= most) return toast(`A message takes at most ${most} files.`, "warn");
      if (file.size > bytes) {
        toast(`${file.name} is larger than ${size(bytes)}.`, "warn");
        continue;
      }
      this.one(file);
    }
    if (holder === this.chooser) this.chooser.value = "";
    this.focus();
  }

  async one(file) {
    const item = { name: file.name, size: file.size, media_type: file.type };
    this.files.push(item);
    this.drawFiles();
    try {
      Object.assign(item, (await upload(file)).file);
    } catch (error) {
      this.files = this.files.filter((other) => other !== item);
      toast(error instanceof Refused ? error.message : `${file.name} could not be uploaded.`, "bad");
    }
    this.drawFiles();
  }

  drawFiles() {
    this.chips.hidden = !this.files.length;
    fill(
      this.chips,
      this.files.map((file) =>
        h(
          "li",
          { class: file.id ? "" : "uploading" },
          icon("file"),
          h("span.file-name", {}, file.name),
          h("span.small", {}, file.id ? size(file.size) : "uploading …"),
          h(
            "button.icon-button",
            { type: "button", "aria-label": `Remove ${file.name}`, onclick: () => this.remove(file) },
            icon("close"),
          ),
        ),
      ),
    );
    this.send.disabled = !this.text.value.trim() && !this.files.length;
  }

  remove(file) {
    this.files = this.files.filter((other) => other !== file);
    this.drawFiles();
    this.focus();
  }
}
