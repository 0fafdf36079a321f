// What pages can do with script: keys that move and select, and Requests that follow what happens.
// Everything works without it: links and forms do the same. No key ever sends a form.
"use strict";

const OFF = "finops.keys.off";
const PAGES = { d: "/", o: "/optimizations", r: "/requests", s: "/resources", a: "/audit" };
let wentToG = false;

const rows = () => [...document.querySelectorAll("main tbody tr")].filter((row) => row.querySelector("a.open"));
const current = () => rows().findIndex((row) => row.contains(document.activeElement));

function move(step) {
  const all = rows();
  if (!all.length) return;
  const next = current() < 0 ? (step > 0 ? 0 : all.length - 1) : current() + step;
  all[Math.max(0, Math.min(all.length - 1, next))].querySelector("a.open").focus();
}

function focusOn(selector) {
  const found = document.querySelector(selector);
  if (found) found.focus();
  return Boolean(found);
}

const KEYS = {
  "/": () => focusOn("main [name=find]"),
  j: () => move(1),
  k: () => move(-1),
  x: () => {
    const row = rows()[current()];
    const box = row && row.querySelector("input[type=checkbox]");
    if (box) box.click();
  },
  a: () => focusOn("#decide [value=Approve]"),
  d: () => focusOn("#decide [value=Deny]"),
  z: () => {
    const put = document.getElementById("snooze");
    if (put) put.open = true;
    focusOn("#snooze [name=until]");
  },
  "?": () => {
    const list = document.getElementById("keys");
    list.open = !list.open;
    list.querySelector("summary").focus();
  },
};

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.matches("input:not([type=checkbox]), textarea, select");
  if (event.key === "Escape") {
    const back = document.querySelector(".back a");
    if (typing) event.target.blur();
    else if (back && back.offsetParent) back.click();
    return;
  }
  if (typing || localStorage.getItem(OFF)) return;
  if (wentToG && PAGES[event.key]) {
    event.preventDefault();
    location.assign(PAGES[event.key]);
    return;
  }
  wentToG = event.key === "g";
  if (KEYS[event.key]) {
    event.preventDefault();
    KEYS[event.key]();
  }
}

// Replaces what is live by what its own address shows now; never under a reader's focus, and said politely.
async function refresh(live, words) {
  if (live.contains(document.activeElement)) return null;
  const answer = await fetch(location.href, { credentials: "same-origin" });
  if (!answer.ok || answer.redirected) return answer;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const next = page.getElementById(live.id);
  if (!next) return answer;
  live.replaceChildren(...next.childNodes);
  if (!next.dataset.poll) delete live.dataset.poll;
  const said = document.getElementById("said");
  if (said && !live.dataset.poll) said.textContent = words;
  return answer;
}

// Asks every second as long as there is no answer; what cannot be read now is asked for the next time.
async function poll(live) {
  const answer = await refresh(live, live.dataset.poll).catch(() => null);
  if (answer && (answer.status === 404 || answer.redirected)) location.reload();
  else if (live.dataset.poll) setTimeout(() => poll(live), 1000);
}

document.addEventListener("keydown", onKey);
const off = document.getElementById("keys-off");
if (off) {
  off.checked = Boolean(localStorage.getItem(OFF));
  off.addEventListener("change", () => (off.checked ? localStorage.setItem(OFF, "yes") : localStorage.removeItem(OFF)));
}
// The style counts what is ticked; said aloud it is here.
const many = document.getElementById("many");
if (many) {
  many.addEventListener("change", (event) => {
    if (event.target.name !== "chosen") return;
    document.getElementById("said").textContent = `${many.querySelectorAll("[name=chosen]:checked").length} selected`;
  });
}
const live = document.querySelector("[data-live]");
if (live && window.EventSource) {
  const events = new EventSource(live.dataset.live);
  events.addEventListener("changed", () => refresh(live, "The requests have changed."));
  window.addEventListener("pagehide", () => events.close());
}
const waiting = document.querySelector("[data-poll]");
if (waiting) setTimeout(() => poll(waiting), 500);
