// The page's behaviour: it follows the workspace, its buttons act. Content always comes from the server as safe HTML.
"use strict";

const me = () => document.getElementById("user").value;
let seen = document.body.dataset.version;
let late = false;
let pressed = false;

function toast(text) {
  const place = document.getElementById("toast");
  place.textContent = text;
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => place.replaceChildren(), 6000);
}

// A confirmation somebody is reading must not vanish, nor a button under a finger; the refresh comes afterwards.
function mustWait() {
  late = pressed || !!document.querySelector("dialog.confirm[open]");
  return late;
}

async function refresh() {
  if (mustWait()) return;
  const answer = await fetch(location.href);
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  // The person may have acted while the answer was on its way.
  if (!answer.ok || mustWait()) return;
  const focused = document.activeElement.id;
  for (const id of ["sidebar", "scroll"]) replace(document.getElementById(id), fresh.getElementById(id));
  showModal(fresh.querySelector("#modal dialog"));
  if (document.activeElement.id !== focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

function replace(place, fresh) {
  if (!place || !fresh || place.shown === fresh.innerHTML) return;
  const atEnd = place.scrollHeight - place.scrollTop - place.clientHeight < 80;
  const top = place.scrollTop;
  place.shown = fresh.innerHTML;
  place.innerHTML = fresh.innerHTML;
  place.scrollTop = atEnd ? place.scrollHeight : top;
}

function showModal(next) {
  const place = document.getElementById("modal");
  const open = place.querySelector("dialog[open]");
  // What was typed stays as long as the app does not change the modal.
  if (open && next && open.dataset.version === next.dataset.version) return;
  place.replaceChildren(...(next ? [next] : []));
  if (!next) return;
  next.addEventListener("cancel", (event) => {
    event.preventDefault();
    act("close_view", { user: me() });
  });
  next.showModal();
  (next.querySelector("[aria-invalid]") || next.querySelector("[data-input]"))?.focus();
}

async function listen() {
  try {
    const { version } = await (await fetch(`/_page/version?after=${seen}`)).json();
    if (String(version) !== seen) await refresh();
    seen = String(version);
    listen();
  } catch {
    setTimeout(listen, 1000);
  }
}

const REFUSALS = {
  button_not_on_card: "This message has changed since you opened it.",
  user_not_in_channel: "You are not in this channel.",
  unknown_command: "No app in this workspace knows that command.",
  user_cannot_act: "This account cannot act.",
};

async function act(name, body, button) {
  if (button?.ariaBusy === "true") return;
  if (button) button.ariaBusy = "true";
  const headers = { "Content-Type": "application/json" };
  try {
    const answer = await fetch(`/_page/act/${name}`, { method: "POST", headers, body: JSON.stringify(body) });
    const result = await answer.json();
    if (!answer.ok) toast(REFUSALS[result.error] || `That did not work: ${result.error}`);
    else if (result.sent && !result.delivered) toast("The app is not connected, so nothing happened.");
    else if (result.sent && !result.acked) toast("The app did not answer in time.");
    await refresh();
  } finally {
    if (button) button.ariaBusy = null;
  }
}

document.addEventListener("pointerdown", () => (pressed = true));
for (const end of ["pointerup", "pointercancel"]) {
  document.addEventListener(end, () => {
    // The click comes after this event, to the button that was pressed.
    setTimeout(() => {
      pressed = false;
      if (late) refresh();
    });
  });
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const { act: name, dialog, url, confirm, ...place } = button.dataset;
  if (dialog) {
    const asked = document.getElementById(dialog);
    asked.onclose = () => late && refresh();
    asked.showModal();
    return;
  }
  button.closest("dialog.confirm")?.close();
  if (url) window.open(url, "_blank", "noopener");
  if (name) act(name, { user: me(), ...place, ...(confirm && { confirm: true }) }, button);
});

document.addEventListener("change", (event) => {
  if (event.target.id === "user") location.search = new URLSearchParams({ user: event.target.value });
});

document.addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  const button = form.querySelector("[type=submit]");
  if (form.dataset.act === "submit_view") {
    const values = {};
    for (const field of form.querySelectorAll("[data-input]")) {
      (values[field.dataset.block] ||= {})[field.dataset.action] = field.value;
    }
    act("submit_view", { user: me(), view: form.dataset.view, values }, button);
    return;
  }
  const input = form.querySelector("#text");
  const text = input.value.trim();
  input.value = "";
  if (text) act("say", { user: me(), channel: form.dataset.channel, text }, button);
});

const messages = document.getElementById("scroll");
if (messages && !location.hash) messages.scrollTop = messages.scrollHeight;
showModal(document.querySelector("#modal dialog"));
listen();
