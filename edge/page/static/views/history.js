// Incidents of any time: searched by words, kind, severity and day.

import { SEVERITIES, h, words } from "../dom.js";
import { get } from "../net.js";
import { pastRow } from "./sensor.js";
import { choice } from "./sensors.js";

const KINDS = ["spike", "level_shift", "drift", "trend", "variance", "swing", "flatline", "missing", "range", "rate", "contextual", "correlation", "clock", "error_value", "peers"];

export const historyView = (main, query) => {
  const given = Object.fromEntries(["find", "kind", "severity", "since", "until"].map((name) => [name, query.get(name) || ""]));
  let wait = 0, asked = 0, last = 0;
  const body = h("tbody");
  const said = h("p", { class: "quiet", role: "status" });
  const more = h("button", { type: "button", class: "more", hidden: true, onclick: () => load(true) }, "Show older ones");
  const search = h("input", { type: "search", placeholder: "Sensor or words", "aria-label": "Sensor or words", value: given.find,
    oninput: () => { clearTimeout(wait); wait = setTimeout(() => change({ find: search.value.trim() }), 250); } });
  const day = (name, label) => h("label", { class: "pick" }, h("span", {}, label),
    h("input", { type: "date", value: given[name], onchange: (event) => change({ [name]: event.target.value }) }));
  const change = (to) => {
    Object.assign(given, to);
    const text = new URLSearchParams(Object.entries(given).filter(([, value]) => value));
    history.replaceState(null, "", `#/history${text.size ? `?${text}` : ""}`);
    load();
  };
  main.replaceChildren(
    h("div", { class: "top" }, h("h1", {}, "History"), said),
    h("div", { class: "controls" }, search,
      choice("Kind", [["", "any"], ...KINDS.map((each) => [each, words(each)])], given.kind, (kind) => change({ kind })),
      choice("At least", [["", "any"], ...SEVERITIES.slice(1).map((each) => [each.toLowerCase(), each])], given.severity, (severity) => change({ severity })),
      day("since", "From"), day("until", "To")),
    h("div", { class: "tablebox" }, h("table", { class: "past" },
      h("thead", {}, h("tr", {}, ["Incident", "Sensor", "Raised", "Lasted", "What was wrong"].map((name, at) =>
        h("th", { scope: "col", class: at === 3 ? "right" : "" }, name)))), body)), more);

  const load = async (older = false) => {
    const mine = ++asked;
    const midnight = (text, days) => { if (!text) return ""; const date = new Date(`${text}T00:00`); date.setDate(date.getDate() + days); return date.getTime(); };
    const answer = await get("history", { ...given, since: midnight(given.since, 0), until: midnight(given.until, 1), before: older ? last : "" });
    if (mine !== asked) return;
    if (!older) body.replaceChildren();
    body.append(...answer.rows.map((row) => pastRow(row, true)));
    last = answer.rows.length ? answer.rows[answer.rows.length - 1].sequence : 0;
    more.hidden = !answer.more;
    said.textContent = body.children.length ? `The latest first${answer.more ? "; there are older ones" : ""}.` : "There was no such incident.";
  };
  let due = 0;
  return {
    load,
    news: (kind) => {
      if (kind !== "again" && kind !== "incidents") return;
      clearTimeout(due);
      if (body.children.length <= 100) due = setTimeout(() => load(), 1000);
    },
    key: (event) => { if (event.key !== "/") return false; search.focus(); search.select(); return true; },
    leave: () => { clearTimeout(due); asked++; },
  };
};
