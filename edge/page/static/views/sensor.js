// One sensor: its readings, what was expected, how surprising they were, and its incidents; it grows as readings arrive.

import { askMute, buttonsFor, mayAct, unmute } from "../actions.js";
import { ago, clock, full, h, heard, many, mark, quantity, sensorLink, shown, span, words } from "../dom.js";
import { get } from "../net.js";
import { card } from "./incidents.js";
import { learnedTitle, watchedBy } from "./sensors.js";

const SPANS = [["1 h", 1], ["6 h", 6], ["1 d", 24], ["7 d", 168]];
const BEFORE_FIRST = .5;  // the share of a plot that may be empty before the first reading
const LEGEND = [["series", "readings"], ["band", "expected"], ["s0", "INFO"], ["s1", "WARN"], ["s2", "ERROR"], ["s3", "FATAL incident"],
  ["level", "raising level"]];
const TOOLS = [["previous", "‹ incident", "Previous incident (p)"], ["next", "incident ›", "Next incident (n)"], ["out", "−", "Zoom out (-)"],
  ["in", "+", "Zoom in (+)"], ["reset", "all", "Show all (Esc)"], ["height", "height", "Full height or cut off far values (y)"]];

export const pastRow = (row, named) => h("tr", { class: row.ended === null ? "is-open" : "" },
  h("td", {}, mark(row.severity), " ", h("span", { class: "quiet" }, words(row.kind))),
  named ? h("td", {}, sensorLink(row.sensor)) : null,
  h("td", { class: "when" }, h("time", { datetime: new Date(row.raised).toISOString() }, full(row.raised))),
  h("td", { class: "right" }, row.ended === null ? h("b", {}, "open") : span(row.ended - row.raised)),
  h("td", { class: "sentence" }, h("bdi", {}, row.sentence), row.how === "expired" ? h("span", { class: "tag" }, "taken as normal") : "",
    row.seen ? h("span", { class: "tag" }, "seen") : ""));

export const sensorView = (main, query, name) => {
  let hours = SPANS.map(([, each]) => each).find((each) => each === Number(query.get("hours"))) || 6, plot = null, facts = null, asked = 0, waiting = [];
  const title = h("h1", {}, h("bdi", {}, name.replace(/\/$/, "")));
  const sub = h("p", { class: "quiet" });
  const act = h("div", { class: "buttons" });
  const incident = h("ul", { class: "incidents" });
  const tiles = h("dl", { class: "tiles" });
  const box = h("div", { class: "plot", "data-test": "plot" });
  const note = h("span", { class: "quiet small", role: "status" });
  const tools = TOOLS.map(([act_, text, label]) => h("button", { type: "button", "data-act": act_, title: label, "aria-label": label }, text));
  const spans = SPANS.map(([text, each]) => h("button", { type: "button", class: "seg", "aria-pressed": String(each === hours),
    onclick: () => choose(each) }, text));
  const past = h("tbody");
  const pastBox = h("section", { hidden: true }, h("h2", {}, "Its incidents"), h("div", { class: "tablebox" }, h("table", {}, past)));
  const about = h("section", {}, h("h2", {}, "How it is watched"), h("dl", { class: "facts" }));
  main.replaceChildren(
    h("p", { class: "crumbs" }, h("a", { href: "#/sensors" }, "Sensors"), " / "),
    h("div", { class: "top" }, h("div", {}, title, sub), act), incident, tiles,
    h("section", { class: "card" },
      h("div", { class: "plot-head" }, h("div", { class: "segs", role: "group", "aria-label": "How far back" }, spans),
        h("ul", { class: "legend" }, LEGEND.map(([mark_, text]) => h("li", {}, h("i", { class: mark_ }), text)))),
      box, h("div", { class: "tools" }, tools, note)),
    pastBox, about);

  const choose = (to) => {
    hours = to;
    spans.forEach((each, at) => each.setAttribute("aria-pressed", String(SPANS[at][1] === hours)));
    history.replaceState(null, "", `#/sensor/${encodeURIComponent(name)}${hours === 6 ? "" : `?hours=${hours}`}`);
    series();
  };

  const tile = (label, content, extra = "") => h("div", { class: "tile" }, h("dt", {}, label), h("dd", {}, content), extra ? h("span", { class: "quiet small" }, extra) : "");
  const oneIn = (decades, from = 0) => (decades > 9 ? "rarer than 1 in a billion" : decades < from ? `1 in ${Math.round(10 ** decades).toLocaleString("en")}`
    : h("span", { class: "when" }, "1 in 10", h("sup", {}, Plots.number(Number(decades.toPrecision(3))))));
  const isKnown = (...bounds) => bounds.every((each) => each !== null && each !== undefined);
  // Detectors that disagree have no common range: then the open incident's event has the latest one.
  const expectation = (lower, upper) => {
    const range = (from, to) => `${Plots.number(from)} to ${Plots.number(to)}`;
    const begun = facts.incident;
    if (isKnown(lower, upper)) return tile("Expected", range(lower, upper));
    if (begun && isKnown(begun.lower, begun.upper)) return tile("Expected", range(begun.lower, begun.upper), "as the incident says");
    return tile("Expected", "–", lower === undefined ? "told with the next reading" : "no range that all detectors share");
  };
  let current = {};
  const drawTiles = () => {
    const { value, time, score, level, lower, upper } = current;
    tiles.replaceChildren(
      tile("Value", quantity(value, facts.unit), time ? ago(time, "", " ago") : "no reading yet"),
      expectation(lower, upper),
      tile("Surprise", score === undefined || score === null ? "–" : oneIn(score, 6), h("span", {}, "raised from ", oneIn(level ?? facts.level))),
      tile("Every", facts.interval ? span(1000 * facts.interval) : "–", many(facts.readings, "reading")),
      tile("Learned", facts.learned, facts.watched ? `watched for ${span(1000 * facts.watched)}` : ""));
  };

  const draw = () => {
    sub.replaceChildren(facts.device ? h("span", {}, "of the device ", sensorLink(`${facts.device}/`)) : "",
      name.endsWith("/") ? "A device: its sensors watched together. The value is how far they are from the ordinary, 1 is as far as is usual at most." : "");
    act.replaceChildren(...(mayAct() && !facts.incident
      ? [facts.quiet ? h("button", { type: "button", onclick: async (event) => { await unmute(name, event.currentTarget); await load(); } }, "Unmute")
        : h("button", { type: "button", onclick: async () => { await askMute(name); await load(); } }, "Mute …")] : []));
    incident.replaceChildren(...(facts.incident ? [card(facts.incident)] : []));
    drawTiles();
    const limits = Object.entries(facts.limits).map(([limit, bound]) => `${words(limit)} ${quantity(bound, facts.unit)}`).join(", ");
    const said = [["Detectors", watchedBy({ detectors: facts.detectors, limits: {} })], ["Limits", limits || "none"],
      ["Raising level", h("span", {}, `${Plots.number(facts.level)} decades of surprise (`, oneIn(facts.level), `): ${learnedTitle(facts.learned)}`)],
      ["Muted", facts.quiet ? "yes, or under maintenance" : "no"]];
    about.querySelector("dl").replaceChildren(...said.flatMap(([term, text]) => [h("dt", {}, term), h("dd", {}, text)]),
      ...(facts.belongs.length ? [h("dt", {}, "Its sensors"), h("dd", { class: "links" }, facts.belongs.map((each) => sensorLink(each)))] : []));
    past.replaceChildren(...facts.past.map((row) => pastRow(row, false)));
    pastBox.hidden = facts.past.length === 0;
  };

  const load = async () => {
    try { facts = await get("sensor", { name }); } catch (error) {
      if (error.status !== 404) throw error;
      clearInterval(timer);
      main.replaceChildren(h("div", { class: "calm" }, h("p", { class: "big" }, facts ? "This sensor has been forgotten." : "There is no such sensor."),
        h("p", { class: "quiet" }, h("bdi", {}, name)), h("p", {}, h("a", { href: "#/sensors" }, "All sensors"))));
      facts = null;
      return;
    }
    heard(facts.clock);
    current = { value: facts.value, time: facts.time, ...(current.time === facts.time ? current : {}) };
    draw();
  };

  const series = async () => {
    const mine = ++asked;
    note.textContent = "Reading what was kept …";
    box.classList.add("waits");
    try {
      for (const scored of [0, 1]) {
        const data = await get("series", { name, hours, scored });
        if (mine !== asked) return;
        show(data);
        if (!scored && !data.more) break;
      }
    } catch (error) {
      if (mine === asked) note.textContent = error.message;
    } finally {
      if (mine === asked) box.classList.remove("waits");
    }
  };

  const show = (data) => {
    for (const each of data.plot.runs[0].incidents) each.message = shown(each.message);
    plot ||= new Plots.Plot(box, { local: true, lane: "raised", buttons: tools, label: `Readings of ${name}` });
    const run = data.plot.runs[0], first = data.plot.start + BEFORE_FIRST * (data.plot.end - data.plot.start);
    const began = data.readings ? run.start + run.unit * (run.t[0] || 0) : first;
    // A plot that is mostly empty shows nothing: one of a sensor that is new begins with its first reading.
    if (began > first) data.plot.start = Math.min(began, data.plot.end - 6e4) - .02 * (data.plot.end - began);
    plot.longest = 36e5 * hours;
    plot.load(data.plot);
    plot.append(waiting);
    const last = run.times.length - 1;
    if (last >= 0 && current.lower === undefined && run.score[last] !== null) {
      Object.assign(current, { score: run.score[last], level: run.level[last], lower: run.lower[last], upper: run.upper[last] });
      drawTiles();
    }
    plot.svg.setAttribute("aria-label", `Readings of ${name}: ${many(data.readings, "reading")} in ${hours} h. The tiles above and the table below say it in words.`);
    note.textContent = [began > first && `There are readings since ${clock(began)}.`, data.note].filter(Boolean).join(" ");
  };

  let due = 0;
  const news = (kind, data) => {
    if (kind === "again") { load().then(() => { if (facts) series(); }); return; }
    if (kind === "incidents" && (data.many || data.rows.some((row) => row.sensor === name))) {
      clearTimeout(due);
      due = setTimeout(() => load().then(spansOfPast), 150);
      return;
    }
    if (kind !== "readings" || data.sensor !== name || !facts) return;
    const [time, value, score, level, lower, upper] = data.rows[data.rows.length - 1];
    heard(time);
    facts.readings += data.rows.length;
    current = { time, value, score, level, lower, upper };
    drawTiles();
    waiting = [...waiting, ...data.rows].slice(-2000);
    plot?.append(data.rows);
  };

  const spansOfPast = () => {
    if (!plot?.data) return;
    plot.data.runs[0].incidents = facts.past.map((each) =>
      ({ raised: each.raised, ended: each.ended, severity: each.severity, message: shown(each.sentence), word: "" })).reverse();
    plot.draw();
  };

  // Another tab, or a command over MQTT, may have muted or forgotten it, which isn't announced.
  const timer = setInterval(() => { if (facts && !document.hidden) load().then(spansOfPast, () => {}); }, 5000);
  return {
    load: async () => { await load(); if (facts) await series(); },
    news,
    sensor: name,
    key: () => false,
    leave: () => { clearInterval(timer); clearTimeout(due); asked++; },
  };
};
