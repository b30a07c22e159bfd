// All sensors: state, last value, detectors, and learning progress.

import { ago, h, heard, many, mark, quantity, sensorLink, span, words } from "../dom.js";
import { get } from "../net.js";

const STATES = [["", "all"], ["open", "with an incident"], ["silent", "silent"], ["muted", "muted"], ["new", "without a reading"], ["ok", "as usual"]];
const ORDERS = [["name", "name"], ["state", "worst first"], ["age", "longest unheard first"], ["readings", "most readings first"]];
const LEARNED = {
  new: "fewer than 30 readings so far",
  learning: "the raising level is assumed from how often it reports",
  learned: "the raising level follows from its own scores",
  fixed: "the configuration says the raising level",
};

const stateOf = (row) => {
  if (row.state === "open" || row.state === "silent") return [mark(row.severity), row.state === "silent" ? " silent" : ""];
  return h("span", { class: `state ${row.state}` }, { ok: "ok", new: "no reading yet", muted: "muted" }[row.state]);
};

export const watchedBy = (row) => {
  const limits = Object.entries(row.limits).map(([name, bound]) => `${words(name)} ${Plots.number(bound)}`).join(", ");
  const names = row.detectors.map((name) => (name === "limits" && limits ? `limits (${limits})` : words(name)));
  return names.length ? names.join(", ") : "nothing";
};
export const learnedTitle = (word) => LEARNED[word] || "";

export const choice = (name, options, value, onchange) => h("label", { class: "pick" }, h("span", {}, name),
  h("select", { onchange: (event) => onchange(event.target.value) },
    options.map(([key, text]) => h("option", { value: key, selected: key === value }, text))));

export const sensorsView = (main, query) => {
  const given = { find: query.get("find") || "", state: query.get("state") || "", order: query.get("order") || "name" };
  let first = 0, wait = 0;
  const found = h("p", { class: "quiet", role: "status" });
  const body = h("tbody");
  const pages = h("div", { class: "pages" });
  const search = h("input", { type: "search", placeholder: "Find a sensor", "aria-label": "Find a sensor", value: given.find,
    oninput: () => { clearTimeout(wait); wait = setTimeout(() => change({ find: search.value.trim() }), 200); } });
  const change = (to) => {
    Object.assign(given, to);
    first = 0;
    const text = new URLSearchParams(Object.entries(given).filter(([name, value]) => value && !(name === "order" && value === "name")));
    history.replaceState(null, "", `#/sensors${text.size ? `?${text}` : ""}`);
    load();
  };
  main.replaceChildren(
    h("div", { class: "top" }, h("h1", {}, "Sensors"), found),
    h("div", { class: "controls" }, search, choice("Show", STATES, given.state, (state) => change({ state })),
      choice("Order", ORDERS, given.order, (order) => change({ order }))),
    h("div", { class: "tablebox" }, h("table", { class: "sensors" },
      h("thead", {}, h("tr", {}, ["Sensor", "State", "Value", "Last", "Every", "Learned", "Readings", "Watched by"].map((name, at) =>
        h("th", { scope: "col", class: [2, 3, 4, 6].includes(at) ? "right" : "" }, name)))), body)), pages);

  const line = (row) => h("tr", {},
    h("th", { scope: "row" }, sensorLink(row.sensor), row.device ? h("span", { class: "device" }, h("bdi", {}, row.device)) : ""),
    h("td", { "data-is": "state" }, stateOf(row)),
    h("td", { class: "right value", "data-is": "value" }, quantity(row.value, row.unit)),
    h("td", { class: "right", "data-is": "last" }, row.time === null ? "–" : ago(row.time, "", " ago")),
    h("td", { class: "right", "data-is": "every" }, row.interval ? span(1000 * row.interval) : "–"),
    h("td", { "data-is": "learned" }, h("span", { class: `learned ${row.learned}`, title: learnedTitle(row.learned) }, row.learned)),
    h("td", { class: "right", "data-is": "readings" }, row.readings.toLocaleString("en")),
    h("td", { class: "by", "data-is": "watched by", title: watchedBy(row) }, watchedBy(row)));

  let asked = 0;
  const load = async () => {
    const mine = ++asked;
    const answer = await get("sensors", { ...given, first });
    if (mine !== asked) return;
    heard(answer.clock);
    const focused = body.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    body.replaceChildren(...answer.rows.map(line));
    if (focused) body.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
    const last = first + answer.rows.length;
    found.textContent = answer.found ? `${(first + 1).toLocaleString("en")} to ${last.toLocaleString("en")} of ${many(answer.found, "sensor")}`
      : given.find || given.state ? "No sensor is like that." : "No sensor has been heard yet.";
    const go = (to) => { first = Math.max(0, to); load(); main.scrollIntoView(); };
    pages.replaceChildren(
      h("button", { type: "button", disabled: first === 0, onclick: () => go(first - 100) }, "‹ Previous"),
      h("button", { type: "button", disabled: last >= answer.found, onclick: () => go(last) }, "Next ›"));
    pages.hidden = answer.found <= 100;
  };
  const timer = setInterval(() => { if (!document.hidden) load().catch(() => {}); }, 3000);
  return {
    load,
    news: (kind) => (kind === "again" ? load() : undefined),
    key: (event) => { if (event.key !== "/") return false; search.focus(); search.select(); return true; },
    leave: () => clearInterval(timer),
  };
};
