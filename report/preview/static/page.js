// The live page: follows the state that the server sends, and asks for pictures, texts and places by number.
// Everything that comes from the report is put into the page as text, never as markup.
"use strict";

const $ = (selector) => document.querySelector(selector);
const view = $("#view");
const holder = $("#pages");
const popup = $("#popup");
const token = $("meta[name=token]").content;
const BAD = ["contradicted", "fragile", "unchecked", "differs"];
const GOOD = ["within-spread", "equal", "supported", "exempt"];
const MARK_MS = 4000;
const WIDEST = 1000; // pixels: where a page that fits the window stops growing

let state = null;
let zoom = Number(localStorage.getItem("zoom")) || 0; // 0: fit to the width
let pages = []; // {box, picture, text, marks, size, shown, digest, texts}
let shownKinds = new Set(BAD);
let fetching = null; // the AbortController of the pictures under way

// ---------- small helpers

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") for (const [event, run] of Object.entries(value)) node.addEventListener(event, run);
    else if (value !== null && value !== false) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== ""));
  return node;
}

function fill(node, ...children) {
  node.replaceChildren(...children.filter((child) => child !== null));
}

function placeName(item) {
  return item.file ? (item.line ? `${item.file}:${item.line}` : item.file) : "";
}

async function ask(path, query, options) {
  const answer = await fetch(`/${path}?${new URLSearchParams(query)}`, options);
  if (!answer.ok) throw new Error(await answer.text());
  return answer;
}

// ---------- pages: position and size are kept, pictures are replaced only when their pixels differ

function scale(size) {
  const widest = Math.max(...pages.map((page) => page.size[0]));
  const room = Math.min(view.clientWidth - 32, WIDEST);
  return zoom ? (zoom * 96) / 72 : room / widest;
}

function anchor() {
  const top = view.scrollTop;
  const index = pages.findIndex((page) => page.box.offsetTop + page.box.offsetHeight > top);
  if (index < 0) return null;
  const { box } = pages[index];
  return { index, fraction: (top - box.offsetTop) / box.offsetHeight, left: view.scrollLeft };
}

function restore(place) {
  if (!place || !pages.length) return;
  const { box } = pages[Math.min(place.index, pages.length - 1)];
  view.scrollTop = box.offsetTop + place.fraction * box.offsetHeight;
  view.scrollLeft = place.left;
}

function resize() {
  if (!pages.length) return;
  const place = anchor();
  for (const page of pages) {
    page.box.style.width = `${page.size[0] * scale()}px`;
    page.box.style.aspectRatio = `${page.size[0]} / ${page.size[1]}`;
  }
  restore(place);
  $("#zoom").textContent = zoom ? `${Math.round(zoom * 100)} %` : "fit";
  refresh();
}

function addPage(number) {
  const picture = make("img", { alt: `Page ${number}`, draggable: "false" });
  const text = make("div", { class: "text" });
  const marks = make("div", { class: "marks" });
  const box = make("div", { class: "page", "data-page": number }, picture, text, marks);
  holder.append(box);
  near.observe(box);
  pages.push({ number, box, picture, text, marks, size: [1, 1], shown: "", digest: "", texts: "", version: 0, near: false });
}

function layOut(sizes) {
  const place = anchor();
  while (pages.length < sizes.length) addPage(pages.length + 1);
  while (pages.length > sizes.length) {
    const { box } = pages.pop();
    near.unobserve(box);
    box.remove();
  }
  const changed = pages.some((page, index) => String(page.size) !== String(sizes[index]));
  pages.forEach((page, index) => (page.size = sizes[index]));
  $("#of").textContent = `of ${sizes.length}`;
  $("#empty").hidden = sizes.length > 0;
  if (changed) resize();
  restore(place);
}

const near = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) {
      const page = pages[entry.target.dataset.page - 1];
      if (page) page.near = entry.isIntersecting;
    }
    refresh();
  },
  { root: view, rootMargin: "60% 0px" },
);

function distance(page) {
  const middle = view.scrollTop + view.clientHeight / 2;
  const { offsetTop, offsetHeight } = page.box;
  return Math.max(offsetTop - middle, middle - offsetTop - offsetHeight, 0);
}

async function refresh() {
  if (fetching || !state || !state.version) return;
  fetching = new AbortController();
  const { signal } = fetching;
  try {
    for (;;) {
      const todo = pages.filter((page) => page.near && page.shown !== wanted(page));
      if (!todo.length) break;
      todo.sort((one, other) => distance(one) - distance(other));
      await redraw(todo[0], signal);
    }
  } catch (error) {
    if (error.name !== "AbortError") setTimeout(refresh, 500); // replaced meanwhile, or the server is gone
  }
  if (fetching && fetching.signal === signal) fetching = null;
  if (!signal.aborted) readTexts();
}

function wanted(page) {
  return `${state.version}/${Math.round(page.box.clientWidth * devicePixelRatio)}`;
}

async function redraw(page, signal) {
  const target = wanted(page);
  const [version, width] = target.split("/");
  const query = { version, page: page.number, width, known: page.digest };
  const answer = await ask("picture", query, { signal });
  if (answer.status === 200) {
    const fresh = make("img", { alt: `Page ${page.number}`, draggable: "false" });
    fresh.src = URL.createObjectURL(await answer.blob());
    await fresh.decode();
    page.picture.replaceWith(fresh); // decoded already: nothing is ever blank
    if (page.picture.src) URL.revokeObjectURL(page.picture.src);
    page.picture = fresh;
    page.digest = answer.headers.get("X-Digest");
  }
  page.shown = target;
  page.box.dataset.version = version;
}

function newVersion() {
  if (fetching) fetching.abort();
  fetching = null;
  layOut(state.pages);
  refresh();
}

// ---------- the text over the pictures, to select and to search

const measuring = document.createElement("canvas").getContext("2d");
measuring.font = "100px sans-serif";
let reading = false;

async function readTexts() {
  if (reading) return;
  reading = true;
  try {
    for (;;) {
      const { version } = state;
      const todo = pages.filter((page) => page.version !== version);
      if (!todo.length) break;
      todo.sort((one, other) => distance(one) - distance(other));
      await readText(todo[0], version);
    }
  } catch {
    // A newer document has replaced this one; its pictures ask again.
  }
  reading = false;
}

async function readText(page, version) {
  const texts = await (await ask("text", { version, page: page.number })).text();
  page.version = version;
  if (texts === page.texts) return;
  page.texts = texts;
  const [width, height] = page.size;
  const spans = JSON.parse(texts).map(([x, y, w, h, text]) => {
    const span = make("span", {}, text);
    const natural = (measuring.measureText(text).width / 100) * h;
    span.style.left = `${(100 * x) / width}%`;
    span.style.top = `${(100 * y) / height}%`;
    span.style.fontSize = `${(100 * h) / height}cqh`;
    span.style.transform = `scaleX(${natural ? w / natural : 1})`;
    return span;
  });
  fill(page.text, ...spans);
}

// ---------- from a template to the page, and back

async function showPlace(file, line, text = "") {
  if (!state || !state.version) return false;
  const rectangles = await (await ask("place", { version: state.version, file, line, text })).json();
  if (!rectangles.length) {
    say(`${file}:${line} prints nothing`);
    return false;
  }
  const first = rectangles[0];
  const { box, size } = pages[first.page - 1];
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const top = box.offsetTop + (first.y / size[1]) * box.offsetHeight - view.clientHeight / 3;
  view.scrollTo({ top, behavior: calm ? "auto" : "smooth" });
  document.querySelectorAll(".mark").forEach((mark) => mark.remove());
  for (const item of rectangles) mark(item);
  return true;
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

function followHash() {
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
  const found = await (await ask("source", { version: state.version, page: page.number, x, y })).json();
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

async function openEditor({ file, line }) {
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

// ---------- the panel

function place(item) {
  const name = placeName(item);
  if (!name) return null;
  return make("button", { class: "place", title: "Open in the editor", on: { click: () => openEditor(item) } }, name);
}

function drawErrors() {
  fill(
    $("#errors"),
    ...state.errors.map((error) =>
      make(
        "article",
        { class: "error", role: "alert" },
        make("p", { class: "head" }, place(error) || "", make("span", { class: "kind" }, error.kind)),
        make("p", { class: "message" }, error.message),
        error.source.trim() ? make("pre", {}, error.source.trim()) : null,
        error.hint ? make("p", { class: "hint" }, error.hint) : null,
      ),
    ),
  );
  holder.classList.toggle("stale", state.errors.length > 0);
}

function drawRuns() {
  $("#runs").hidden = !state.runs.length;
  fill(
    $("#runs ul"),
    ...state.runs.map((run) => {
      const bar = make("progress", run.total ? { max: run.total, value: run.done } : {});
      const done = run.total ? `${run.done}/${run.total}` : "";
      return make("li", {}, make("span", {}, run.label), bar, make("small", {}, [done, run.note].filter(Boolean).join(" · ")));
    }),
  );
}

function drawVerdicts() {
  const counts = new Map();
  for (const item of state.verdicts) counts.set(item.verdict, (counts.get(item.verdict) || 0) + 1);
  const kinds = [...BAD, ...GOOD].filter((kind) => counts.has(kind));
  const toggle = (kind) => () => {
    shownKinds.has(kind) ? shownKinds.delete(kind) : shownKinds.add(kind);
    drawVerdicts();
  };
  fill(
    $("#verdicts .chips"),
    ...kinds.map((kind) =>
      make(
        "button",
        { class: `chip ${kind}`, "aria-pressed": String(shownKinds.has(kind)), on: { click: toggle(kind) } },
        `${kind} ${counts.get(kind)}`,
      ),
    ),
  );
  const order = (item) => kinds.indexOf(item.verdict);
  const shown = state.verdicts.filter((item) => shownKinds.has(item.verdict)).sort((a, b) => order(a) - order(b));
  fill($("#verdicts ul"), ...shown.map(verdictRow));
  $("#verdicts .none").hidden = state.verdicts.length > 0;
  const bad = (counts.get("contradicted") || 0) + state.errors.length;
  $("#badge").textContent = bad || "";
}

function verdictRow(item) {
  const open = () => item.file && showPlace(item.file, item.line, item.text).catch(() => {});
  const compared = item.expected ? `computed ${item.expected}` + (item.actual ? `, written ${item.actual}` : "") : "";
  return make(
    "li",
    { class: item.verdict },
    make(
      "button",
      { class: "verdict", on: { click: open } },
      make("span", { class: "kind" }, item.verdict),
      make("b", {}, item.id || item.kind),
      item.text ? make("q", {}, item.text) : "",
      compared ? make("small", {}, compared) : "",
      item.evidence ? make("small", {}, item.evidence) : "",
    ),
    place(item),
  );
}

function drawWarnings() {
  $("#warnings").hidden = !state.warnings.length;
  fill(
    $("#warnings ul"),
    ...state.warnings.map((item) =>
      make(
        "li",
        {},
        make("button", { class: "verdict", on: { click: () => item.file && showPlace(item.file, item.line) } }, item.message),
        place(item),
      ),
    ),
  );
}

function drawStatus() {
  const busy = { starting: "starting", typesetting: "typesetting", computing: computingText() }[state.phase];
  const kind = busy || state.settling ? "busy" : state.errors.length ? "bad" : "good";
  const seconds = state.seconds === null ? "" : ` in ${state.seconds.toFixed(2)} s`;
  const rest = state.errors.length ? "the last good version" : `up to date${seconds}`;
  setStatus(kind, busy || (state.settling ? "settling references" : rest));
}

function computingText() {
  const left = state.left > 90 ? `, about ${Math.round(state.left / 60)} min left` : "";
  return state.total ? `computing, ${state.finished} of ${state.total} done${left}` : "computing";
}

function setStatus(kind, text) {
  $("#status").className = kind;
  $("#status .label").textContent = text;
}

// ---------- following the state

const drawn = {};

function when(name, draw, force = false) {
  const now = JSON.stringify(state[name]);
  if (force || drawn[name] !== now) {
    drawn[name] = now;
    draw();
    return true;
  }
  return false;
}

let session = null;
const events = new EventSource("/events");
events.onmessage = (event) => {
  state = JSON.parse(event.data);
  if (session && session !== state.session) return location.reload(); // another process: its token is another
  const first = session === null;
  session = state.session;
  drawStatus();
  const errors = when("errors", drawErrors);
  when("runs", drawRuns);
  when("verdicts", drawVerdicts, errors);
  when("warnings", drawWarnings);
  $("#notice").textContent = state.notice;
  $("#notice").hidden = !state.notice;
  when("version", () => state.version && newVersion());
  if (first) followHash();
};
events.onerror = () => setStatus("bad", "the preview has ended");

// ---------- controls

function setZoom(value) {
  zoom = value && Math.min(5, Math.max(0.2, value));
  localStorage.setItem("zoom", zoom);
  resize();
}

function step(factor) {
  const now = zoom || (scale() * 72) / 96;
  setZoom(now * factor);
}

$("#smaller").addEventListener("click", () => step(1 / 1.15));
$("#larger").addEventListener("click", () => step(1.15));
$("#zoom").addEventListener("click", () => setZoom(0));
$("#page").addEventListener("change", (event) => {
  const page = pages[Number(event.target.value) - 1];
  if (page) view.scrollTop = page.box.offsetTop - 8;
});
$("#panel-toggle").addEventListener("click", () => {
  const open = document.body.classList.toggle("panel-switched");
  const wide = matchMedia("(min-width: 62rem)").matches;
  $("#panel-toggle").setAttribute("aria-expanded", String(open !== wide));
  resize();
});
view.addEventListener("scroll", () => {
  const at = anchor();
  if (at && document.activeElement !== $("#page")) $("#page").value = at.index + (at.fraction > 0.7 ? 2 : 1);
});
holder.addEventListener("click", (event) => showSource(event).catch(() => {}));
document.addEventListener("click", (event) => {
  if (!popup.contains(event.target) && !event.ctrlKey && !event.metaKey && !event.target.closest("button")) popup.hidden = true;
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") popup.hidden = true;
  if (event.target.tagName === "INPUT" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "+" || event.key === "=") step(1.15);
  else if (event.key === "-") step(1 / 1.15);
  else if (event.key === "0") setZoom(0);
});
addEventListener("hashchange", followHash);
new ResizeObserver(resize).observe(view);
