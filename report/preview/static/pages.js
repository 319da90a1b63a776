// The pages: their position and size are kept, and a picture is replaced only when its pixels differ.

import { $, ask, fill, make, shared } from "./dom.js";

export const view = $("#view");
export const holder = $("#pages");
export const pages = []; // {number, box, picture, text, marks, size, shown, digest, texts, version, near}

const WIDEST = 1000; // pixels: where a page that fits the window stops growing
let zoom = Number(localStorage.getItem("zoom")) || 0; // 0: fit to the width
let fetching = null; // the AbortController of the pictures under way

function scale(size) {
  const widest = Math.max(...pages.map((page) => page.size[0]));
  const room = Math.min(view.clientWidth - 32, WIDEST);
  return zoom ? (zoom * 96) / 72 : room / widest;
}

export function anchor() {
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
  if (fetching || !shared.state || !shared.state.version) return;
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
  return `${shared.state.version}/${Math.round(page.box.clientWidth * devicePixelRatio)}`;
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

export function newVersion() {
  if (fetching) fetching.abort();
  fetching = null;
  layOut(shared.state.pages);
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
      const { version } = shared.state;
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

// ---------- size

function setZoom(value) {
  zoom = value && Math.min(5, Math.max(0.2, value));
  localStorage.setItem("zoom", zoom);
  resize();
}

/** Make the pages larger or smaller by a factor; 0 fits them to the width. */
export function step(factor) {
  setZoom(factor && (zoom || (scale() * 72) / 96) * factor);
}

new ResizeObserver(resize).observe(view);
