// The page's behaviour: live regions, buttons that act, dialogs. Content always comes from the server as safe HTML.
"use strict";

const page = new URLSearchParams(location.search);
const me = () => document.getElementById("user").value;
let version = Number(document.body.dataset.version);
let waiting = false;
let pressed = false;

function toast(text) {
  const place = document.getElementById("toast");
  place.textContent = text;
  place.classList.add("shown");
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => place.classList.remove("shown"), 6000);
}

// Live regions -----------------------------------------------------------------------------------------------------

// A confirmation or menu somebody is reading must not vanish, nor a button under a finger; the refresh comes afterwards.
function mustWait() {
  waiting = pressed || !!document.querySelector("dialog.confirm[open], details.overflow[open]");
  return waiting;
}

async function refresh() {
  if (mustWait()) return;
  page.set("user", me());
  const answer = await fetch(`/_page/fragments?${page}`);
  if (!answer.ok) return;
  const found = await answer.json();
  // The person may have acted while the answer was on its way.
  if (mustWait()) return;
  version = found.version;
  const focused = document.activeElement && document.activeElement.id;
  for (const [id, html] of Object.entries(found.parts)) {
    const place = document.getElementById(id);
    if (id === "modal") showModal(place, html);
    else if (place.lastHtml !== html) replace(place, html);
  }
  const again = focused && document.getElementById(focused);
  if (again && document.activeElement !== again) again.focus({ preventScroll: true });
}

function replace(place, html) {
  const typed = place.querySelector("#text");
  const text = typed ? typed.value : "";
  const scroll = place.querySelector(".scroll");
  const atEnd = !scroll || scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80;
  const top = scroll ? scroll.scrollTop : 0;
  place.innerHTML = html;
  place.lastHtml = html;
  if (text && place.querySelector("#text")) place.querySelector("#text").value = text;
  const fresh = place.querySelector(".scroll");
  if (fresh) fresh.scrollTop = atEnd ? fresh.scrollHeight : top;
}

function showModal(place, html) {
  const open = place.querySelector("dialog");
  const holder = document.createElement("template");
  holder.innerHTML = html;
  const next = holder.content.querySelector("dialog");
  if (open && next && open.dataset.version === next.dataset.version) return;
  // What was typed stays when the app changes the modal around it.
  const typed = open && next && open.dataset.view === next.dataset.view ? collect(open) : {};
  if (open) {
    open.silent = true;
    open.close();
  }
  place.replaceChildren(holder.content);
  if (!next) return;
  for (const [block, actions] of Object.entries(typed)) {
    for (const [action, value] of Object.entries(actions)) {
      for (const field of next.querySelectorAll("[data-input]")) {
        if (field.dataset.block === block && field.dataset.action === action) fill(field, value);
      }
    }
  }
  next.addEventListener("cancel", (event) => {
    event.preventDefault();
    act("close_view", { user: me() });
  });
  next.showModal();
  const first = next.querySelector("[aria-invalid]") || next.querySelector("[data-input]");
  if (first) first.focus();
}

function listen() {
  const stream = new EventSource(`/_page/events?version=${version}`);
  stream.onmessage = () => refresh();
  stream.onerror = () => {
    stream.close();
    setTimeout(listen, 1000);
  };
}

// Acting -----------------------------------------------------------------------------------------------------------

const REFUSALS = {
  button_not_on_card: "This message has changed since you opened it.",
  user_not_in_channel: "You are not in this channel.",
  unknown_command: "No app in this workspace knows that command.",
  user_cannot_act: "This account cannot act.",
};

async function act(name, body) {
  const answer = await fetch(`/_page/act/${name}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const result = await answer.json();
  if (!answer.ok) toast(REFUSALS[result.error] || `That did not work: ${result.error}`);
  else if (result.sent && !result.delivered) toast("The app is not connected, so nothing happened.");
  else if (result.sent && !result.acked) toast("The app did not answer in time.");
  await refresh();
  return result;
}

async function busy(button, work) {
  if (button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  try {
    await work();
  } finally {
    button.removeAttribute("aria-busy");
  }
}

function bodyOf(element, extra) {
  const data = element.dataset;
  const body = { user: me(), action: data.action, ...extra };
  if (data.act === "click") Object.assign(body, { channel: data.channel, message: data.message, block: data.block });
  if (data.act === "view_action" && data.view === "home") body.view = "home";
  return body;
}

function collect(form) {
  const values = {};
  for (const field of form.querySelectorAll("[data-input]")) {
    const { block, action } = field.dataset;
    const place = (values[block] ||= {});
    if (field.type === "checkbox") {
      place[action] ||= [];
      if (field.checked) place[action].push(field.value);
    } else if (field.type === "radio") {
      place[action] ??= "";
      if (field.checked) place[action] = field.value;
    } else if (field.multiple) place[action] = [...field.selectedOptions].map((option) => option.value);
    else place[action] = field.value;
  }
  return values;
}

function fill(field, value) {
  if (field.type === "checkbox") field.checked = value.includes(field.value);
  else if (field.type === "radio") field.checked = value === field.value;
  else if (field.multiple) for (const option of field.options) option.selected = value.includes(option.value);
  else field.value = value;
}

document.addEventListener("pointerdown", () => {
  pressed = true;
});

for (const end of ["pointerup", "pointercancel"]) {
  document.addEventListener(end, () => {
    // The click comes after this event, to the button that was pressed.
    setTimeout(() => {
      pressed = false;
      if (waiting) refresh();
    });
  });
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  for (const menu of document.querySelectorAll("details.overflow[open]")) {
    if (!menu.contains(event.target) || button) menu.open = false;
  }
  if (!button) return;
  if (button.dataset.dialog) {
    const dialog = document.getElementById(button.dataset.dialog);
    dialog.option = button.dataset.option || "";
    dialog.onclose = () => waiting && refresh();
    dialog.showModal();
    return;
  }
  const dialog = button.closest("dialog.confirm");
  if (dialog) {
    const wanted = button.dataset.confirm ? bodyOf(button, { confirm: true, option: dialog.option }) : null;
    const name = button.dataset.act;
    dialog.close();
    if (wanted) act(name, wanted);
    return;
  }
  if (button.dataset.act === "close_view") busy(button, () => act("close_view", { user: me() }));
  else if (button.dataset.act) {
    if (button.dataset.url) window.open(button.dataset.url, "_blank", "noopener");
    busy(button, () => act(button.dataset.act, bodyOf(button, { option: button.dataset.option || "" })));
  }
});

// A menu near an edge opens to the other side. Toggle events do not bubble, so they are caught on the way down.
document.addEventListener("toggle", (event) => {
  const menu = event.target;
  if (!menu.matches("details.overflow")) return;
  if (!menu.open) {
    if (waiting) refresh();
    return;
  }
  menu.classList.remove("up", "left");
  const list = menu.querySelector("ul").getBoundingClientRect();
  const room = menu.closest(".scroll, .modal-body").getBoundingClientRect();
  menu.classList.toggle("up", list.bottom > room.bottom);
  menu.classList.toggle("left", list.right > room.right);
}, true);

document.addEventListener("change", (event) => {
  const field = event.target;
  if (field.id === "user") location.search = new URLSearchParams({ user: field.value });
  else if (field.tagName === "SELECT" && field.dataset.act && field.value) {
    act(field.dataset.act, bodyOf(field, { option: field.value }));
  }
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.dataset.act) return;
  event.preventDefault();
  const button = form.querySelector("[type=submit]");
  if (form.dataset.act === "submit_view") {
    busy(button, () => act("submit_view", { user: me(), view: form.dataset.view, values: collect(form) }));
    return;
  }
  const input = form.querySelector("#text");
  const text = input.value.trim();
  if (!text) return;
  input.value = "";
  busy(button, () => act("say", { user: me(), channel: form.dataset.channel, text }));
});

// Start ------------------------------------------------------------------------------------------------------------

const scroll = document.querySelector("#main .scroll");
if (scroll && !location.hash) scroll.scrollTop = scroll.scrollHeight;
const first = document.querySelector("#modal dialog");
if (first) {
  const html = document.getElementById("modal").innerHTML;
  first.remove();
  showModal(document.getElementById("modal"), html);
}
if (document.getElementById("main").dataset.home) act("open_home", { user: me() });
listen();
