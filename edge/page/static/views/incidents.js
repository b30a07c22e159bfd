// Open incidents, the worst first.

import { acknowledge, askMute, askNormal, buttonsFor, mayAct } from "../actions.js";
import { SEVERITIES, ago, arrange, h, heard, many, mark, rankOf, sensorLink, sparkline, words } from "../dom.js";
import { get } from "../net.js";

// The sentence, with its sensor's name in it as a link.
const sentence = (row) => {
  const name = row.sensor.replace(/\/$/, "");
  const at = row.sentence.indexOf(name);
  if (!row.sentence) return sensorLink(row.sensor);
  if (at < 0) return h("bdi", {}, row.sentence);  // of several sensors together: the link to this one follows below
  return [row.sentence.slice(0, at), sensorLink(row.sensor), h("bdi", {}, row.sentence.slice(at + name.length))];
};

// One incident, as a card of a list.
export const card = (row) => {
  const rank = rankOf(row.severity);
  const notes = [
    row.acknowledged && h("span", { class: "tag" }, row.by && row.transition === "acknowledged" ? `acknowledged by ${row.by}` : "acknowledged"),
    row.shelved && h("span", { class: "tag" }, "muted"),
  ];
  return h("li", { class: `incident v${rank}${row.acknowledged || row.shelved ? " seen" : ""}`, tabindex: "-1", "data-key": row.sensor },
    h("div", { class: "what" },
      h("div", { class: "head" }, mark(row.severity), h("span", { class: "kind" }, words(row.kind)), notes, ago(row.since, "for ")),
      h("p", { class: "sentence" }, sentence(row)),
      h("div", { class: "meta" }, row.sentence && !row.sentence.includes(row.sensor.replace(/\/$/, "")) ? h("span", {}, "told of ", sensorLink(row.sensor)) : "",
        row.device && `${row.device}/` !== row.sensor ? h("span", {}, "of ", sensorLink(`${row.device}/`)) : "",
        row.detectors.length ? h("span", {}, `found by ${row.detectors.map(words).join(", ")}`) : "",
        row.shares.length ? h("span", {}, "most of it by ", row.shares.slice(0, 3).map(([name], at) => [at ? ", " : "", sensorLink(name)])) : "",
        row.comment ? h("span", {}, `“${row.comment}”`) : "")),
    sparkline(row), buttonsFor(row));
};

export const incidentsView = (main) => {
  const rows = new Map(), cards = new Map();
  let open = 0, sensors = 0, quiet = 0, complete = false, settled = false, wanted = 100, focus = null;
  const title = h("h1", {}, "Open incidents");
  const counts = h("div", { class: "counts", "aria-label": "Open incidents by severity" });
  const list = h("ul", { class: "incidents", "aria-label": "Open incidents, the worst first" });
  const more = h("button", { type: "button", class: "more", hidden: true, onclick: () => { wanted += 100; load(); } });
  const calm = h("div", { class: "calm", hidden: true });
  main.replaceChildren(h("div", { class: "top" }, title, counts), list, calm, more);

  const draw = () => {
    const sorted = [...rows.values()].sort((a, b) => b.severity - a.severity || a.since - b.since || (a.sensor < b.sensor ? -1 : 1));
    for (const key of [...cards.keys()]) if (!rows.has(key)) cards.delete(key);
    const shownRows = sorted.slice(0, wanted);
    for (const row of shownRows) {
      const known = cards.get(row.sensor);
      if (known?.row === row) continue;
      const element = card(row);
      if (known) {
        const menu = known.element.querySelector("details.menu[open]");
        if (menu) element.querySelector("details.menu")?.setAttribute("open", "");
        if (known.element === document.activeElement) requestAnimationFrame(() => element.focus());
        if (row.severity > known.row.severity) element.classList.add("fresh");
      } else if (settled) element.classList.add("fresh");
      cards.set(row.sensor, { row, element });
    }
    arrange(list, shownRows.map((row) => cards.get(row.sensor).element));
    const ranks = [0, 0, 0, 0];
    for (const row of rows.values()) ranks[rankOf(row.severity)]++;
    const exact = rows.size >= open;
    counts.replaceChildren(...(exact ? [3, 2, 1, 0].filter((rank) => ranks[rank]).map((rank) =>
      h("span", { class: `count v${rank}` }, h("b", {}, ranks[rank]), ` ${SEVERITIES[rank]}`)) : []),
    h("span", { class: "count" }, h("b", {}, open), ` open of ${many(sensors, "sensor")}`),
    quiet ? h("a", { class: "count", href: "#/sensors?state=muted" }, h("b", {}, quiet), " muted") : "");
    calm.hidden = open > 0 || !complete;
    calm.replaceChildren(h("p", { class: "big" }, "Nothing is wrong."),
      h("p", { class: "quiet" }, sensors ? `${many(sensors, "sensor")} ${sensors === 1 ? "is" : "are"} watched.` : "No sensor has been heard yet. ",
        sensors ? "" : h("a", { href: "#/health" }, "Is anything arriving?")));
    more.hidden = shownRows.length >= open;
    more.textContent = `Show more of ${many(open, "open incident")}`;
    document.title = open ? `(${open}) Edgewarden` : "Edgewarden";
  };

  const load = async () => {
    const found = [];
    let answer;
    do {
      answer = await get("incidents", { first: found.length });
      found.push(...answer.rows);
    } while (answer.rows.length && found.length < Math.min(answer.open, wanted));
    heard(answer.clock);
    ({ open, sensors, quiet } = answer);
    rows.clear();
    for (const row of found) {
      const known = cards.get(row.sensor)?.row;
      rows.set(row.sensor, known && JSON.stringify(known) === JSON.stringify(row) ? known : row);
    }
    complete = true;
    draw();
    settled = true;
  };

  const news = async (kind, data) => {
    if (kind === "again" || (kind === "incidents" && data.many)) { await load(); return; }
    if (kind !== "incidents") return;
    open = data.open;
    let mutes = false;
    for (const row of data.rows) {
      heard(row.last);
      const before = rows.get(row.sensor);
      if (Boolean(row.shelved) !== Boolean(before?.shelved)) mutes = true;
      if (!row.open) { rows.delete(row.sensor); continue; }
      rows.set(row.sensor, { ...row, sentence: row.sentence || before?.sentence || "" });
    }
    if (mutes || rows.size < Math.min(open, wanted)) await load();
    else draw();
  };

  const move = (by) => {
    const all = [...list.children];
    const at = all.findIndex((each) => each.contains(document.activeElement));
    focus = all[Math.max(0, Math.min(all.length - 1, at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by))];
    focus?.focus();
    focus?.scrollIntoView({ block: "nearest" });
  };
  const key = (event) => {
    if (event.key === "j" || event.key === "ArrowDown") return move(1);
    if (event.key === "k" || event.key === "ArrowUp") return move(-1);
    const element = document.activeElement?.closest(".incident");
    const row = element && rows.get(element.dataset.key);
    if (!row) return false;
    if (event.key === "Enter" && document.activeElement === element) location.hash = `#/sensor/${encodeURIComponent(row.sensor)}`;
    else if (event.key === "a" && mayAct() && !row.acknowledged) acknowledge(row);
    else if (event.key === "m" && mayAct()) askMute(row.sensor);
    else if (event.key === "n" && mayAct()) askNormal(row);
    else return false;
    return true;
  };
  return { load, news, key };
};
