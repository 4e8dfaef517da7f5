// What pages have beyond what they show without a script.
"use strict";

// Times are written as they were when the page was made: let them go on.
const UNITS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];

function span(seconds) {
  const found = UNITS.find(([size]) => seconds >= size);
  return found ? `${Math.round(seconds / found[0])} ${found[1]}` : "0 s";
}

function tick() {
  for (const time of document.querySelectorAll("time[datetime]")) {
    const seconds = (Date.parse(time.dateTime) - Date.now()) / 1000;
    const text = seconds > 0 ? `in ${span(seconds)}` : `${span(-seconds)} ago`;
    if (time.textContent !== text) time.textContent = text;
  }
}

setInterval(tick, 10000);
