// Building elements, taking over markup that the server made safe, and bringing an element to a new state in place.

import { localise } from "./time.js";

const policy = globalThis.trustedTypes?.createPolicy("bosun", { createHTML: (html) => html });

/** An element: h("button.primary", {type: "button", onclick}, "Send"). Text is always text, never markup. */
export function h(tag, properties = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name);
  if (classes.length) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "class") element.classList.add(...value.split(" ").filter(Boolean));
    else if (key === "value" && name === "textarea") element.value = value;
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  append(element, children);
  return element;
}

function append(element, children) {
  for (const child of children) {
    if (Array.isArray(child)) append(element, child);
    else if (child !== null && child !== undefined && child !== false) element.append(child);
  }
}

/** Markup from the server, which has made it safe. The only place where a string becomes markup. */
export function markup(html) {
  const template = document.createElement("template");
  template.innerHTML = policy ? policy.createHTML(html) : html;
  localise(template.content);
  return template.content;
}

/** Bring `now` to the state of `next`, keeping focus, selection, scroll position and what the reader has unfolded. */
export function morph(now, next) {
  if (now.nodeType !== next.nodeType || now.nodeName !== next.nodeName || now.dataset?.key !== next.dataset?.key) {
    now.replaceWith(next);
    return next;
  }
  if (now.nodeType !== Node.ELEMENT_NODE) {
    if (now.nodeValue !== next.nodeValue) now.nodeValue = next.nodeValue;
    return now;
  }
  for (const { name } of [...now.attributes]) {
    if (!next.hasAttribute(name) && !(name === "open" && now.nodeName === "DETAILS")) now.removeAttribute(name);
  }
  for (const { name, value } of [...next.attributes]) {
    if (now.getAttribute(name) !== value) now.setAttribute(name, value);
  }
  const children = [...next.childNodes];
  children.forEach((child, index) => {
    const known = now.childNodes[index];
    if (known) morph(known, child);
    else now.append(child);
  });
  while (now.childNodes.length > children.length) now.lastChild.remove();
  return now;
}

/** Replace all children. */
export function fill(element, ...children) {
  element.replaceChildren();
  append(element, children);
  return element;
}

export const $ = (selector, root = document) => root.querySelector(selector);
