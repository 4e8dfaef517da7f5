/* Oyez for pages: what happens on them, to a collector. See docs/collecting.md. */
(function (w, d) {
  "use strict";
  var tag = d.currentScript, said = tag.dataset, nav = w.navigator;
  var to = new URL("collect?site=" + encodeURIComponent(said.site), tag.src).href;
  var MOST = 200, BYTES = 50000, SILENCE = 18e5, STORE = "oyez";
  var queue = [], sending = false, failures = 0, timer = 0, most = MOST, session = null, page = null;
  var out = nav.globalPrivacyControl || nav.doNotTrack === "1";
  var agreed = said.consent === "yes" ? true : undefined;

  function id() {
    var b = w.crypto.getRandomValues(new Uint8Array(16)), text = "";
    for (var i = 0; i < 16; i++) text += (256 + b[i]).toString(16).slice(1);
    return text;
  }

  function current() {
    var now = Date.now();
    try { session = JSON.parse(w.localStorage.getItem(STORE)) || session; } catch (e) { /* no store */ }
    if (!session || !(now - session.at < SILENCE)) session = { id: id() };
    session.at = now;
    try { w.localStorage.setItem(STORE, JSON.stringify(session)); } catch (e) { /* as above */ }
    return session.id;
  }

  function announce(signal, data) {
    var text = JSON.stringify({ id: id(), signal: signal, data: data || {} });
    queue.push({ text: text, bytes: new Blob([text]).size + 1 });
    if (queue.length > MOST) queue.shift();
    later(1000);
  }

  function later(ms) {
    if (!timer) timer = w.setTimeout(function () { timer = 0; flush(); }, ms);
  }

  function batch(from) {
    var end = Math.min(queue.length, from + most);
    for (var n = from, size = 200; n < end && (n === from || size + queue[n].bytes < BYTES); n++)
      size += queue[n].bytes;
    return queue.slice(from, n);
  }

  function body(events) {
    var head = { consent: agreed };
    if (agreed && !out && said.session !== "cookie") head.session = current();
    head = JSON.stringify(head).slice(0, -1);
    return head + (head.length > 1 ? "," : "") + '"events":[' +
      events.map(function (one) { return one.text; }).join() + "]}";
  }

  function done(events) {
    queue = queue.filter(function (one) { return events.indexOf(one) < 0; });
  }

  function again(seconds) {
    failures++;
    w.clearTimeout(timer); /* of what was announced meanwhile: it waits too */
    timer = 0;
    later(1000 * (seconds || Math.min(60, Math.pow(2, failures))));
  }

  function flush() {
    if (sending || !queue.length) return;
    var events = batch(0), text = body(events);
    sending = true;
    /* Browsers refuse to keep more than 64 KiB alive. */
    w.fetch(to, { method: "POST", body: text, keepalive: new Blob([text]).size < 60000, credentials: "include" })
      .then(function (r) {
        sending = false;
        if (r.status === 408 || r.status === 429 || r.status > 499)
          return again(+r.headers.get("Retry-After"));
        failures = 0;
        if (r.status === 413 && events.length > 1) most = events.length >> 1;
        else done(events);
        if (queue.length) later(0);
      }, function () { sending = false; again(); });
  }

  function left() {
    if (page && said.leave) announce(said.leave, { url: page.url, seconds: Math.round((Date.now() - page.at) / 1000) });
    page = null;
  }

  function leave() {
    left();
    for (var at = 0, events = batch(at); events.length; events = batch(at)) /* nobody hears the answer to a beacon */
      if (nav.sendBeacon(to, body(events))) done(events);
      else at += events.length;
  }

  function view() {
    if (page && page.url === w.location.href) return;
    var from = page ? page.url : d.referrer;
    left();
    page = { url: w.location.href, at: Date.now() };
    if (said.view) announce(said.view, { url: page.url, title: d.title, referrer: from });
  }

  function link(event) {
    var a = event.target.closest && event.target.closest("a[href]");
    if (a && a.host !== w.location.host && said.link) announce(said.link, { url: w.location.href, to: a.href });
  }

  ["pushState", "replaceState"].forEach(function (name) {
    var own = w.history[name];
    w.history[name] = function () {
      own.apply(this, arguments);
      w.setTimeout(view, 0); /* the title comes after */
    };
  });
  w.addEventListener("popstate", view);
  w.addEventListener("pagehide", leave);
  w.addEventListener("pageshow", function (event) { if (event.persisted) view(); });
  w.addEventListener("online", flush);
  d.addEventListener("click", link, true);

  w.oyez = announce;
  announce.flush = flush;
  announce.consent = function (yes) {
    agreed = yes;
    if (!yes) {
      session = null;
      try { w.localStorage.removeItem(STORE); } catch (e) { /* nothing is there */ }
    }
  };
  view();
})(window, document);
