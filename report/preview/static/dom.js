// Small helpers, and the state that every part of the page reads.
// Everything that comes from the report is put into the page as text, never as markup.

export const $ = (selector) => document.querySelector(selector);

/** What the server sent last; its entries are those of report/preview/live.py. */
export const shared = { state: null };

export function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") for (const [event, run] of Object.entries(value)) node.addEventListener(event, run);
    else if (value !== null && value !== false) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== ""));
  return node;
}

export function fill(node, ...children) {
  node.replaceChildren(...children.filter((child) => child !== null));
}

export function placeName(item) {
  return item.file ? (item.line ? `${item.file}:${item.line}` : item.file) : "";
}

export async function ask(path, query, options) {
  const answer = await fetch(`/${path}?${new URLSearchParams(query)}`, options);
  if (!answer.ok) throw new Error(await answer.text());
  return answer;
}
