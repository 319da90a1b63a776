// Beside and above the pages: errors, what is computed, verdicts, warnings.

import { $, fill, make, placeName, shared } from "./dom.js";
import { holder } from "./pages.js";
import { openEditor, showPlace } from "./places.js";

const BAD = ["contradicted", "fragile", "unchecked", "differs"];
const GOOD = ["within-spread", "equal", "supported", "exempt"];
const AROUND = 28; // characters shown on either side of a number
const shownKinds = new Set(BAD);

function place(item) {
  const name = placeName(item);
  if (!name) return null;
  return make("button", { class: "place", title: "Open in the editor", on: { click: () => openEditor(item) } }, name);
}

export function drawErrors() {
  fill(
    $("#errors"),
    ...shared.state.errors.map((error) =>
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
  holder.classList.toggle("stale", shared.state.errors.length > 0);
}

export function drawRuns() {
  $("#runs").hidden = !shared.state.runs.length;
  fill(
    $("#runs ul"),
    ...shared.state.runs.map((run) => {
      const bar = make("progress", run.total ? { max: run.total, value: run.done } : {});
      const done = run.total ? `${run.done}/${run.total}` : "";
      return make("li", {}, make("span", {}, run.label), bar, make("small", {}, [done, run.note].filter(Boolean).join(" · ")));
    }),
  );
}

export function drawVerdicts() {
  const counts = new Map();
  for (const item of shared.state.verdicts) counts.set(item.verdict, (counts.get(item.verdict) || 0) + 1);
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
  const shown = shared.state.verdicts.filter((item) => shownKinds.has(item.verdict)).sort((a, b) => order(a) - order(b));
  fill($("#verdicts ul"), ...shown.map(verdictRow));
  $("#verdicts .none").hidden = shared.state.verdicts.length > 0;
  const bad = (counts.get("contradicted") || 0) + shared.state.errors.length;
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
      { class: "verdict", title: "Show it on the page", on: { click: open } },
      make("span", { class: "head" }, make("span", { class: "kind" }, item.verdict), " ", make("b", {}, item.id)),
      make("q", {}, ...context(item)),
      compared ? make("small", {}, compared) : "",
      item.evidence ? make("small", {}, item.evidence) : "",
    ),
    place(item),
  );
}

/** The words around a number, with the number marked; or what was written, where its sentence is not known. */
function context({ sentence = "", mark = [0, 0], text }) {
  const [from, to] = mark;
  if (!sentence || to <= from) return [text];
  const before = sentence.slice(Math.max(0, from - AROUND), from);
  const behind = sentence.slice(to, to + AROUND);
  const dots = (cut) => (cut ? "…" : "");
  return [
    dots(from > AROUND) + before,
    make("mark", {}, sentence.slice(from, to)),
    behind + dots(to + AROUND < sentence.length),
  ];
}

export function drawWarnings() {
  $("#warnings").hidden = !shared.state.warnings.length;
  fill(
    $("#warnings ul"),
    ...shared.state.warnings.map((item) =>
      make(
        "li",
        {},
        make("button", { class: "verdict", on: { click: () => item.file && showPlace(item.file, item.line) } }, item.message),
        place(item),
      ),
    ),
  );
}

export function drawStatus() {
  const busy = { starting: "starting", typesetting: "typesetting", computing: computingText() }[shared.state.phase];
  const kind = busy || shared.state.settling ? "busy" : shared.state.errors.length ? "bad" : "good";
  const seconds = shared.state.seconds === null ? "" : ` in ${shared.state.seconds.toFixed(2)} s`;
  const rest = shared.state.errors.length ? "the last good version" : `up to date${seconds}`;
  setStatus(kind, busy || (shared.state.settling ? "finishing: references and check" : rest));
}

function computingText() {
  const left = shared.state.left > 90 ? `, about ${Math.round(shared.state.left / 60)} min left` : "";
  return shared.state.total ? `computing, ${shared.state.finished} of ${shared.state.total} done${left}` : "computing";
}

export function setStatus(kind, text) {
  $("#status").className = kind;
  $("#status .label").textContent = text;
}
