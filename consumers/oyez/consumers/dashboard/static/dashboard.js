// What pages have beyond what they show without a script: times go on, and what has changed is fetched.
"use strict";

const UNITS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
const FIELDS = "input, select, textarea";

function span(seconds) {
  const found = UNITS.find(([size]) => seconds >= size);
  return found ? `${Math.round(seconds / found[0])} ${found[1]}` : "0 s";
}

// Times are written as they were when the page was made.
function tick() {
  for (const time of document.querySelectorAll("time[datetime]")) {
    const seconds = (Date.parse(time.dateTime) - Date.now()) / 1000;
    const text = seconds > 0 ? `in ${span(seconds)}` : `${span(-seconds)} ago`;
    if (time.textContent !== text) time.textContent = text;
  }
}

setInterval(tick, 10000);

const main = document.querySelector("main[data-live]");
const control = document.getElementById("updates");
let is_paused = false;
let is_due = false;
let is_asking = false;
let rests_until = 0; // a page that takes long is asked for less often
let shown = main?.innerHTML; // what the page was made of last

function is_changed(field) {
  if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
  if (!field.options) return field.value !== field.defaultValue;
  const usual = Math.max(0, [...field.options].findIndex((one) => one.defaultSelected));
  return field.selectedIndex !== usual;
}

// Somebody fills in a form, or has marked a text: nothing is taken away from them.
function is_in_use() {
  return Boolean(document.activeElement?.closest("main form"))
    || !getSelection().isCollapsed
    || [...main.querySelectorAll(FIELDS)].some(is_changed);
}

// What somebody has opened, scrolled or focused stays so, by its place among its like.
function replace(content) {
  const all = (query) => [...main.querySelectorAll(query)];
  const links = "a, summary, [tabindex]";
  const at = all(links).indexOf(document.activeElement);
  const opened = all("details").map((one) => one.open);
  const scrolled = all(".scroll").map((one) => one.scrollLeft);
  main.replaceChildren(...content.childNodes);
  all("details").forEach((one, n) => { one.open = opened[n] ?? false; });
  all(".scroll").forEach((one, n) => { one.scrollLeft = scrolled[n] ?? 0; });
  if (at >= 0) all(links)[at]?.focus({ preventScroll: true });
  tick();
}

async function refresh() {
  is_due = true;
  if (is_asking || is_paused || document.hidden || performance.now() < rests_until || is_in_use()) return;
  is_due = false;
  is_asking = true;
  const began = performance.now();
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    const found = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main[data-live]");
    if (answer.ok && found && found.innerHTML !== shown && !is_in_use()) {
      shown = found.innerHTML;
      replace(found);
    }
  } catch {
    is_due = true; // the next look tries again
  } finally {
    is_asking = false;
    rests_until = performance.now() + Math.max(1000, 10 * (performance.now() - began));
  }
}

let events = null;
let asks = null; // from time to time, where nothing is told

function connect() {
  const opened = new EventSource(main.dataset.live);
  opened.addEventListener("open", refresh); // what has changed since the page was made, or the connection was lost
  opened.addEventListener("changed", refresh);
  // Refused for good: then it is asked from time to time.
  opened.addEventListener("error", () => {
    if (opened === events && opened.readyState === EventSource.CLOSED) asks ??= setInterval(refresh, 30000);
  });
  events = opened;
}

function disconnect() {
  events?.close();
  events = null;
  clearInterval(asks);
  asks = null;
}

// A browser has six connections to a host without HTTP/2: tabs that nobody sees keep none.
function connectIfSeen() {
  disconnect();
  if (!document.hidden) connect();
}

function begin() {
  connectIfSeen();
  document.addEventListener("visibilitychange", connectIfSeen);
  addEventListener("pagehide", disconnect);
  addEventListener("pageshow", (event) => event.persisted && connectIfSeen());
  setInterval(() => is_due && refresh(), 1000);
  control.hidden = false;
  control.addEventListener("click", () => {
    is_paused = !is_paused;
    control.textContent = is_paused ? "Go on with updates" : "Pause updates";
    if (is_due) refresh();
  });
}

if (main && control) begin();
