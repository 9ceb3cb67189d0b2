// Suggestions for where there is nothing to read yet.

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { state } from "./state.js";

/** Prompts that fit a channel (or any, for null); `choose(text)` gets the chosen one. */
export function prompts(channel, choose) {
  const fitting = state.boot.prompts.filter((prompt) => !prompt.channel || prompt.channel === channel?.id).slice(0, 4);
  if (!fitting.length) return null;
  const text = (prompt) => (channel && !channel.dm && !prompt.message.startsWith("@") ? `@bosun ${prompt.message}` : prompt.message);
  return h(
    "ul.prompts",
    { "aria-label": "Suggestions" },
    fitting.map((prompt) =>
      h(
        "li",
        {},
        h(
          "button.prompt",
          { type: "button", onclick: () => choose(text(prompt)) },
          icon("spark"),
          h("span", {}, h("strong", {}, prompt.title), h("span.small", {}, prompt.message)),
        ),
      ),
    ),
  );
}
