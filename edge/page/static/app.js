// The page as a whole: views by the address, log-in, keys, and whether it is connected.

import { setRole } from "./actions.js";
import { h, shown, tick, toast } from "./dom.js";
import { incidentsView } from "./views/incidents.js";
import { get, isBusy, linkState, listenTo, onNews, post, stopListening } from "./net.js";

// Incidents come with the page; the other views' scripts are loaded after it, or on demand.
const sensorModule = () => import("./views/sensor.js");
const VIEWS = [["", "Incidents", async () => incidentsView], ["sensors", "Sensors", async () => (await import("./views/sensors.js")).sensorsView],
  ["history", "History", async () => (await import("./views/history.js")).historyView],
  ["refused", "Refused", async () => (await import("./views/refused.js")).refusedView],
  ["health", "Health", async () => (await import("./views/health.js")).healthView]];
const KEYS = [["1 to 5", "go to a view"], ["j, k", "next or previous incident"], ["Enter", "its sensor's page"], ["a", "acknowledge it"], ["m", "mute it"],
  ["n", "say that it is normal"], ["/", "search"], ["+ − ← →", "zoom and pan a plot that has the focus"], ["p, n, Esc", "in a plot: incidents, and all of it"],
  ["?", "these keys"]];

const main = document.getElementById("main"), nav = document.getElementById("nav"), link = document.getElementById("link");
const leaveButton = document.getElementById("leave");
let view = null, loggedIn = false, shows = 0;

// An address that was typed or cut off may be no valid encoding.
const decoded = (text) => {
  try { return decodeURIComponent(text); } catch { return text; }
};

const route = () => {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const [first, ...rest] = path.split("/");
  return { first, rest: decoded(rest.join("/")), query: new URLSearchParams(query) };
};

const failed = (error) => {
  const notice = h("p", { class: `notice bad${isBusy(error) ? " busy" : ""}`, role: "alert" }, error.message);
  main.querySelector(".notice")?.remove();
  main.prepend(notice);
};

// The plotter comes last: incidents, which most people open first, don't wait for it.
const plotter = new Promise((resolve) => {
  if (document.readyState === "complete") resolve();
  else document.addEventListener("DOMContentLoaded", resolve, { once: true });
});

const show = async () => {
  if (!loggedIn) return;
  view?.leave?.();
  view = null;
  const turn = ++shows;
  const { first, rest, query } = route();
  const entry = VIEWS.find(([path]) => path === first) || VIEWS[0];
  const current = first === "sensor" ? "sensors" : entry[0];
  for (const each of nav.children) {
    if (each.dataset.view === current) each.setAttribute("aria-current", "page");
    else each.removeAttribute("aria-current");
  }
  document.title = first === "sensor" ? `${shown(rest)} – Edgewarden` : `${entry[1]} – Edgewarden`;
  let make;
  try {
    make = first === "sensor" ? (await sensorModule()).sensorView : await entry[2]();
    if (first.startsWith("sensor")) await plotter;
  } catch { // an import that failed isn't tried again by the browser before the page is loaded again
    if (turn === shows) failed(new Error("This view can't be loaded now; load the page again."));
    return;
  }
  if (turn !== shows || !loggedIn) return;
  const mine = first === "sensor" ? make(main, query, rest) : make(main, query);
  view = mine;
  listenTo(mine.sensor || "");
  try { await mine.load(); } catch (error) { if (view === mine) failed(error); }
};

const LINK = { connecting: "connecting …", live: "live", lost: "connection lost, trying again …", behind: "catching up …", polling: "every 5 s" };
const drawLink = () => {
  link.className = `link ${linkState()}`;
  link.replaceChildren(h("span", { class: "dot", "aria-hidden": "true" }), LINK[linkState()]);
  document.body.classList.toggle("is-lost", linkState() === "lost");
};

onNews(async (kind, data) => {
  if (kind === "link") { drawLink(); return; }
  if (kind === "login") { askPassword(); return; }
  if (kind === "busy") { failed(data); return; }
  if (kind === "answered") { main.querySelector(".notice.busy")?.remove(); return; }
  if (kind === "again") main.querySelector(".notice.bad")?.remove();
  try { await view?.news?.(kind, data); } catch (error) { failed(error); }
});

const askPassword = () => {
  if (document.getElementById("login")) return;
  loggedIn = false;
  stopListening();
  view?.leave?.();
  view = null;
  leaveButton.hidden = true;
  nav.hidden = true;
  const said = h("p", { class: "bad-text", role: "alert" });
  const password = h("input", { type: "password", name: "password", autocomplete: "current-password", required: true, "aria-label": "Password" });
  const button = h("button", { class: "main" }, "Log in");
  main.replaceChildren(h("form", { id: "login", class: "card login", onsubmit: async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      await post("login", { password: password.value });
      await begin();
    } catch (error) {
      said.textContent = error.message;
      password.select();
    } finally { button.disabled = false; }
  } }, h("h1", {}, "Log in"), h("label", { class: "field" }, h("span", {}, "Password"), password), button, said));
  password.focus();
};

leaveButton.addEventListener("click", async () => { await post("logout", {}); askPassword(); });

const help = () => {
  const dialog = h("dialog", { "aria-label": "Keys" }, h("h2", {}, "Keys"),
    h("dl", { class: "facts" }, KEYS.flatMap(([key, text]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, text)])),
    h("form", { method: "dialog", class: "buttons" }, h("button", { class: "main" }, "Close")));
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  document.body.append(dialog);
  dialog.showModal();
};
document.getElementById("help").addEventListener("click", help);

document.addEventListener("keydown", (event) => {
  const at = document.activeElement;
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]") || at?.closest("input, select, textarea, .plot svg, details[open]")) return;
  if (event.key === "?") { event.preventDefault(); help(); return; }
  const place = "12345".indexOf(event.key);
  if (place >= 0 && event.key) { location.hash = `#/${VIEWS[place][0]}`; return; }
  if (view?.key?.(event) !== false && view) event.preventDefault();
});

const begin = async () => {
  const session = await get("session");
  if (session.role === null) { askPassword(); return; }
  loggedIn = true;
  setRole(session.role);
  nav.hidden = false;
  leaveButton.hidden = !session.passwords;
  document.getElementById("gateway").textContent = session.gateway + (session.role === "viewer" ? " (looking only)" : "");
  nav.replaceChildren(...VIEWS.map(([path, text]) => h("a", { href: `#/${path}`, "data-view": path }, text)));
  await show();
  setTimeout(() => [sensorModule, ...VIEWS.map((each) => each[2])].forEach((each) => each().catch(() => {})), 500);
};

window.addEventListener("hashchange", () => { show(); main.focus({ preventScroll: true }); scrollTo(0, 0); });
setInterval(tick, 1000);
drawLink();
const start = async () => {
  try { await begin(); } catch (error) {
    failed(error);
    toast("The service doesn't answer; trying again.", "bad");
    setTimeout(start, 3000);
  }
};
start();
