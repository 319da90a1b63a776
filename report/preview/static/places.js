// From a line of a template to its place on the pages and back, and from there into the editor.

import { $, ask, fill, make, placeName, shared } from "./dom.js";
import { holder, pages, view } from "./pages.js";

const MARK_MS = 4000;
const token = $("meta[name=token]").content;
const popup = $("#popup");
let asked = null; // a place that was asked for before the templates were rendered

/** Scroll to what a template's line prints, or to a text on it, and mark it. */
export async function showPlace(file, line, text = "") {
  const { state } = shared;
  asked = state && state.located ? null : [file, line, text];
  if (asked) return;
  const rectangles = await (await ask("place", { version: state.version, file, line, text })).json();
  if (!rectangles.length) return say(`${file}:${line} prints nothing`);
  const [first] = rectangles;
  const { box, size } = pages[first.page - 1];
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const top = box.offsetTop + (first.y / size[1]) * box.offsetHeight - view.clientHeight / 3;
  view.scrollTo({ top, behavior: calm ? "auto" : "smooth" });
  document.querySelectorAll(".mark").forEach((mark) => mark.remove());
  rectangles.forEach(mark);
}

/** Go where somebody wanted to go before the places were known. */
export function showAsked() {
  if (asked) showPlace(...asked).catch(() => {});
}

function mark({ page, x, y, width, height }) {
  const { marks, size } = pages[page - 1];
  const node = make("div", { class: "mark" });
  node.style.left = `${(100 * (x - 1)) / size[0]}%`;
  node.style.top = `${(100 * (y - 1)) / size[1]}%`;
  node.style.width = `${(100 * (width + 2)) / size[0]}%`;
  node.style.height = `${(100 * (height + 2)) / size[1]}%`;
  marks.append(node);
  setTimeout(() => node.remove(), MARK_MS);
}

export function followHash() {
  const found = /^(.+?):(\d+)$/.exec(decodeURIComponent(location.hash.slice(1)));
  if (found) showPlace(found[1], found[2]).catch(() => {});
}

async function showSource(event) {
  const box = event.target.closest(".page");
  if (!box || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  const page = pages[box.dataset.page - 1];
  const area = box.getBoundingClientRect();
  const x = ((event.clientX - area.left) / area.width) * page.size[0];
  const y = ((event.clientY - area.top) / area.height) * page.size[1];
  const found = await (await ask("source", { version: shared.state.version, page: page.number, x, y })).json();
  if (!found.file) return openPopup(event.clientX, event.clientY, make("p", {}, "This comes from no template."));
  openPopup(
    event.clientX,
    event.clientY,
    make("p", { class: "place" }, placeName(found)),
    make("code", {}, found.source.trim()),
    make("p", {}, openButton(found), make("button", { on: { click: () => copy(placeName(found)) } }, "Copy the place")),
  );
}

function openPopup(x, y, ...children) {
  fill(popup, ...children);
  popup.hidden = false;
  const { offsetWidth, offsetHeight } = popup;
  popup.style.left = `${Math.max(8, Math.min(x + 6, innerWidth - offsetWidth - 8))}px`;
  popup.style.top = `${Math.max(8, Math.min(y + 6, innerHeight - offsetHeight - 8))}px`;
}

function openButton(item) {
  return make("button", { class: "open", on: { click: () => openEditor(item) } }, "Open in the editor");
}

export async function openEditor({ file, line }) {
  try {
    const body = JSON.stringify({ file, line: line || 1 });
    const answer = await ask("open", {}, { method: "POST", body, headers: { "X-Token": token } });
    if (!(await answer.json()).opened) {
      say("No editor with a window is known. Start the preview with --editor 'code -g {file}:{line}', or set REPORT_EDITOR.");
    }
  } catch (error) {
    say(error.message);
  }
}

function copy(text) {
  navigator.clipboard.writeText(text).then(() => say(`copied ${text}`), () => {});
}

function say(text) {
  openPopup(innerWidth / 2, innerHeight - 120, make("p", {}, text));
}

holder.addEventListener("click", (event) => showSource(event).catch(() => {}));
document.addEventListener("click", (event) => {
  const kept = popup.contains(event.target) || event.target.closest("button") || event.ctrlKey || event.metaKey;
  if (!kept) popup.hidden = true;
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") popup.hidden = true;
});
