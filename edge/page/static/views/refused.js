// Refused input and its reasons: by input and reason, and the latest examples.

import { ago, full, h, many, topicCode, words } from "../dom.js";
import { get } from "../net.js";

export const refusedView = (main) => {
  const reasons = h("tbody"), letters = h("tbody");
  const said = h("p", { class: "quiet", role: "status" });
  const table = (names, body) => h("div", { class: "tablebox" }, h("table", { class: "stacks" }, h("thead", {}, h("tr", {}, names.map(([name, right]) =>
    h("th", { scope: "col", class: right ? "right" : "" }, name)))), body));
  const kept = h("section", {}, h("h2", {}, "The latest that were kept"), table([["Arrived"], ["Topic"], ["Reason"], ["How it began"], ["Bytes", true]], letters));
  const counted = table([["Reason"], ["Since the start", true], ["The last"], ["Where"], ["What was wrong with it"]], reasons);
  main.replaceChildren(h("div", { class: "top" }, h("h1", {}, "Refused"), said), counted, kept);
  const load = async () => {
    const answer = await get("refused");
    const total = answer.reasons.reduce((sum, each) => sum + each.count, 0);
    said.textContent = total ? `${many(total, "time")} something was refused since the start; nothing else in those messages was lost by it.`
      : "Nothing was refused since the start.";
    counted.hidden = !answer.reasons.length;
    kept.hidden = !answer.letters.length;
    reasons.replaceChildren(...answer.reasons.map((each) => h("tr", {},
      h("th", { scope: "row" }, words(each.reason), each.input ? h("div", { class: "small" }, "on ", topicCode(each.input)) : "", each.meaning ? h("div", { class: "quiet small" }, each.meaning) : ""),
      h("td", { class: "right" }, each.count.toLocaleString("en")),
      h("td", { class: "when" }, each.last ? ago(new Date(each.last).getTime(), "", " ago") : "–"),
      h("td", {}, topicCode(each.topic || "–"), each.path ? h("div", { class: "quiet small" }, "at ", h("code", {}, each.path)) : ""),
      h("td", {}, each.detail || "", each.payload ? h("div", {}, h("code", { class: "payload" }, each.payload)) : ""))));
    letters.replaceChildren(...answer.letters.map((each) => h("tr", {},
      h("td", { class: "when" }, full(each.arrived)),
      h("td", {}, topicCode(each.topic)),
      h("td", {}, words(each.reason), each.detail ? h("div", { class: "quiet small" }, each.detail) : ""),
      h("td", {}, h("code", { class: "payload" }, each.beginning)),
      h("td", { class: "right", "data-is": "bytes" }, each.size.toLocaleString("en")))));
  };
  const timer = setInterval(() => { if (!document.hidden) load().catch(() => {}); }, 5000);
  return { load, news: (kind) => (kind === "again" ? load() : undefined), key: () => false, leave: () => clearInterval(timer) };
};
