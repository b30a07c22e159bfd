// The health of the service: connections, input, delivery of events, the disk, and muted sensors.

import { unmute, mayAct } from "../actions.js";
import { ago, h, many, span, topicCode } from "../dom.js";
import { get } from "../net.js";

const size = (bytes) => {
  for (const [unit, one] of [["GiB", 2 ** 30], ["MiB", 2 ** 20], ["KiB", 1024]]) if (bytes >= one) return `${(bytes / one).toFixed(1)} ${unit}`;
  return `${bytes} bytes`;
};

export const healthView = (main) => {
  const verdict = h("div", { class: "verdict" });
  const content = h("div", { class: "grid-2" });
  main.replaceChildren(h("div", { class: "top" }, h("h1", {}, "Health")), verdict, content);
  const box = (title, ...children) => h("section", { class: "card" }, h("h2", {}, title), children);
  const facts = (...pairs) => h("dl", { class: "facts" }, pairs.flatMap(([term, text]) => [h("dt", {}, term), h("dd", {}, text)]));
  const time = (text, none) => (text ? ago(new Date(text).getTime(), "", " ago") : none);

  const load = async () => {
    const [said, muted] = await Promise.all([get("status"), get("shelved")]);
    const health = said.health, store = said.store;
    const bad = said.problems || [];
    verdict.className = `verdict ${bad.length ? "bad" : "good"}`;
    verdict.replaceChildren(h("b", {}, bad.length ? "Not well" : "Fine"), h("ul", {}, [...bad, ...(said.notes || [])].map((each) => h("li", {}, each))),
      h("span", { class: "quiet" }, `Gateway ${said.gateway}, version ${said.version}, up for ${span(1000 * health.uptime_s)}.`));
    content.replaceChildren(
      box("Connections", h("ul", { class: "plain-list" }, said.connections.map((each) => h("li", {},
        h("span", { class: `dot ${each.connected ? "good" : "bad"}`, "aria-hidden": "true" }),
        h("b", {}, each.connected ? "connected" : "not connected"), ` for ${each.carries}: `, h("code", {}, `${each.host}:${each.port}`),
        each.connected ? ` with MQTT ${each.version}` : "", each.trouble ? h("div", { class: "quiet" }, each.trouble) : "")))),
      box("What arrives", facts(["Sensors", `${health.sensors.toLocaleString("en")}${health.devices ? ` in ${many(health.devices, "device")}` : ""}`],
        ["Readings learned from", (health.readings_taken ?? 0).toLocaleString("en")],
        ["Last stored", store.error ? "–" : time(store.last_arrival, "no reading yet")])),
      box("Events", facts(["Open incidents", health.open_incidents.toLocaleString("en")],
        ["Wait for delivery", `${(health.backlog_events ?? 0).toLocaleString("en")}${health.backlog_events ? ` (${size(health.backlog_bytes)})` : ""}`],
        ["The oldest", health.backlog_since ? time(health.backlog_since) : "–"],
        ["Delivered since the start", health.events_confirmed.toLocaleString("en")])),
      box("Store", store.error ? h("p", { class: "bad-text" }, store.error) : facts(["Size", size(store.file_bytes)], ["Events kept", store.events.toLocaleString("en")],
        ["Refused messages kept", store.dead_letters.toLocaleString("en")], ["Free on its disk", store.free_bytes === undefined ? "–" : size(store.free_bytes)],
        ["Takes commits", health.store_writable ? "yes" : "no: the disk refuses"], ["Failures since the start", String(health.store_errors)])),
      box("Muted and under maintenance",
        muted.shelved.length || muted.maintenance.length ? h("ul", { class: "plain-list" },
          muted.shelved.map((each) => h("li", {}, h("code", {}, each.sensor), " until ", h("time", {}, new Date(each.until).toLocaleString()),
            each.by ? ` by ${each.by}` : "", each.comment ? `: ${each.comment}` : "", " ",
            mayAct() ? h("button", { type: "button", onclick: async (event) => { await unmute(each.sensor, event.currentTarget); load(); } }, "Unmute") : "")),
          muted.maintenance.map((each) => h("li", {}, h("b", {}, each.name), " ", h("code", {}, each.sensor), `: ${each.every || `until ${new Date(each.to).toLocaleString()}`}`,
            each.active ? h("span", { class: "tag" }, "now") : "")))
          : h("p", { class: "quiet" }, "Nothing.")),
      h("section", { class: "card wide" }, h("h2", {}, "Inputs"), h("table", { class: "tight" },
        h("thead", {}, h("tr", {}, [["Topic"], ["Messages", "right"], ["A minute", "right"], ["Last", "right"]].map(([name, side]) =>
          h("th", { scope: "col", class: side || "" }, name)))),
        h("tbody", {}, said.inputs.map((each) => h("tr", {}, h("th", { scope: "row" }, topicCode(each.topic)),
          h("td", { class: "right" }, each.messages.toLocaleString("en")),
          h("td", { class: "right" }, each.last ? Math.round(each.per_minute).toLocaleString("en") : "–"),
          h("td", { class: "right" }, time(each.last, "nothing yet"))))))));
  };
  const timer = setInterval(() => { if (!document.hidden) load().catch(() => {}); }, 3000);
  return { load, news: (kind) => (kind === "again" ? load() : undefined), key: () => false, leave: () => clearInterval(timer) };
};
