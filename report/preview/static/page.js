// The live page: follows the state that the server sends.

import { $, shared } from "./dom.js";
import { drawErrors, drawRuns, drawStatus, drawVerdicts, drawWarnings, setStatus } from "./panel.js";
import { anchor, newVersion, pages, step, view } from "./pages.js";
import { followHash, showAsked } from "./places.js";

const drawn = {};
let session = null;

/** Draw a part if its entry of the state has changed. */
function when(name, draw, force = false) {
  const now = JSON.stringify(shared.state[name]);
  if (drawn[name] === now && !force) return false;
  drawn[name] = now;
  draw();
  return true;
}

const events = new EventSource("/events");
events.onmessage = (event) => {
  const state = JSON.parse(event.data);
  if (session && session !== state.session) return location.reload(); // another process: its token is another
  const first = session === null;
  session = state.session;
  shared.state = state;
  drawStatus();
  const errors = when("errors", drawErrors);
  when("runs", drawRuns);
  when("verdicts", drawVerdicts, errors);
  when("warnings", drawWarnings);
  $("#notice").textContent = state.notice;
  $("#notice").hidden = !state.notice;
  if (state.version) when("version", newVersion);
  if (first) followHash();
  else if (state.located) showAsked();
};
events.onerror = () => setStatus("bad", "the preview has ended");

const LARGER = 1.15;
$("#smaller").addEventListener("click", () => step(1 / LARGER));
$("#larger").addEventListener("click", () => step(LARGER));
$("#zoom").addEventListener("click", () => step(0));
$("#page").addEventListener("change", (event) => {
  const page = pages[Number(event.target.value) - 1];
  if (page) view.scrollTop = page.box.offsetTop - 8;
});
$("#panel-toggle").addEventListener("click", () => {
  const switched = document.body.classList.toggle("panel-switched");
  const wide = matchMedia("(min-width: 62rem)").matches;
  $("#panel-toggle").setAttribute("aria-expanded", String(switched !== wide));
});
view.addEventListener("scroll", () => {
  const at = anchor();
  if (at && document.activeElement !== $("#page")) $("#page").value = at.index + (at.fraction > 0.7 ? 2 : 1);
});
document.addEventListener("keydown", (event) => {
  if (event.target.tagName === "INPUT" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "+" || event.key === "=") step(LARGER);
  else if (event.key === "-") step(1 / LARGER);
  else if (event.key === "0") step(0);
});
addEventListener("hashchange", followHash);
