// An operator's responses to an incident: acknowledge, mute, declare it normal.

import { clock, h, shown, toast } from "./dom.js";
import { command } from "./net.js";

let role = "operator";
export const setRole = (given) => { role = given; };
export const mayAct = () => role === "operator";

const say = async (name, said, button, words) => {
  if (button) button.disabled = true;
  try {
    const answer = await command(name, said);
    toast(words || answer.message, "good");
    return true;
  } catch (error) {
    toast(error.message, "bad");
    return false;
  } finally {
    if (button) button.disabled = false;
  }
};

export const acknowledge = (row, button) => say("acknowledge", { incident: row.incident }, button);
export const unmute = (sensor, button) => say("unshelve", { sensor }, button, `${sensor} is no longer muted.`);
const SPANS = { "1h": 36e5, "8h": 288e5 };
const mute = (sensor, until, comment) => say("shelve", { sensor, until, ...(comment ? { comment } : {}) }, null,
  `${sensor} is muted until ${clock(SPANS[until] ? Date.now() + SPANS[until] : new Date(until).getTime())}.`);

// A dialog; it returns the value of the button, or null.
const ask = (title, content, buttons) => new Promise((resolve) => {
  const dialog = h("dialog", { "aria-label": title });
  const form = h("form", { method: "dialog" }, h("h2", {}, title), content,
    h("div", { class: "buttons" }, buttons.map(([value, text, kind]) => h("button", { value, class: kind || "" }, text)),
      h("button", { value: "", class: "plain", formnovalidate: true }, "Cancel")));
  dialog.append(form);
  dialog.addEventListener("close", () => { dialog.remove(); resolve(dialog.returnValue ? { value: dialog.returnValue, form } : null); });
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(""); });
  document.body.append(dialog);
  dialog.showModal();
});

const local = (date) => new Date(date - 6e4 * date.getTimezoneOffset()).toISOString().slice(0, 16);

export const askMute = async (sensor) => {
  const tomorrow = new Date();
  tomorrow.setDate(tomorrow.getDate() + (tomorrow.getHours() < 6 ? 0 : 1));
  tomorrow.setHours(6, 0, 0, 0);
  const until = h("input", { type: "datetime-local", name: "until", value: local(tomorrow), min: local(new Date()), required: true });
  const comment = h("input", { type: "text", name: "comment", maxlength: 200, placeholder: "why, for whoever reads it later" });
  const found = await ask(`Mute ${shown(sensor)}`, [
    h("p", { class: "quiet" }, "Its incidents are still found, but nobody is told until then."),
    h("label", { class: "field" }, h("span", {}, "Until"), until),
    h("label", { class: "field" }, h("span", {}, "Comment"), comment),
  ], [["until", "Mute until then", "main"], ["1h", "1 h"], ["8h", "8 h"]]);
  if (!found) return;
  if (found.value !== "until") { await mute(sensor, found.value, comment.value); return; }
  const moment = new Date(until.value);
  if (Number.isNaN(moment.getTime())) toast("That is no time.", "bad");
  else await mute(sensor, moment.toISOString(), comment.value);
};

export const askNormal = async (row) => {
  const found = await ask("Is this normal?", [
    h("p", {}, h("bdi", {}, row.sentence || row.sensor)),
    h("p", { class: "quiet" }, "The incident ends, and the detectors learn that this is how the sensor behaves."),
  ], [["yes", "This is normal", "main"]]);
  if (found) await say("normal", { incident: row.incident });
};

// The buttons of an incident.
export const buttonsFor = (row) => {
  if (!mayAct()) return null;
  const muteMenu = h("details", { class: "menu" },
    h("summary", { role: "button", "aria-label": `Mute ${row.sensor}` }, "Mute"),
    h("div", { class: "menu-in" },
      ["1h", "8h"].map((until) => h("button", { type: "button", onclick: () => { muteMenu.open = false; mute(row.sensor, until); } },
        `for ${until.replace("h", " h")}`)),
      h("button", { type: "button", onclick: () => { muteMenu.open = false; askMute(row.sensor); } }, "until …")));
  return h("div", { class: "buttons" },
    row.acknowledged ? null : h("button", { type: "button", class: "main", "data-do": "acknowledge",
      onclick: (event) => acknowledge(row, event.currentTarget) }, "Acknowledge"),
    row.shelved
      ? h("button", { type: "button", "data-do": "unmute", onclick: (event) => unmute(row.sensor, event.currentTarget) }, "Unmute")
      : muteMenu,
    h("button", { type: "button", "data-do": "normal", onclick: () => askNormal(row) }, "This is normal"));
};

document.addEventListener("click", (event) => {
  for (const each of document.querySelectorAll("details.menu[open]")) if (!each.contains(event.target)) each.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const each of document.querySelectorAll("details.menu[open]")) { each.open = false; each.querySelector("summary").focus(); }
});
