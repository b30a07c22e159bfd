// Elements, texts and times. Everything from outside becomes text content, never markup.

const HIDDEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\u2028\u2029\u034f\u115f\u1160\u3164\uffa0\u17b4\u17b5\u180b-\u180f\ufe00-\ufe0f\u2800]/gu;

// A text in which invisible characters, or those that reorder their surroundings, are shown as escapes.
export const shown = (text) => String(text ?? "").replace(HIDDEN, (each) => `\\u${each.codePointAt(0).toString(16).padStart(4, "0")}`);

// An element: h("a", { class: "x", href: "#/", onclick: f }, "text", child, ...).
export const h = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value") element.value = value;
    else if (name === "title" || name === "aria-label") element.setAttribute(name, shown(value));
    else element.setAttribute(name, value === true ? "" : value);
  }
  add(element, children);
  return element;
};

const add = (element, children) => {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (Array.isArray(child)) add(element, child);
    else element.append(child instanceof Node ? child : shown(child));
  }
};

const SVG = "http://www.w3.org/2000/svg";
export const svg = (tag, attributes = {}, ...children) => {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  add(element, children);
  return element;
};

export const SEVERITIES = ["INFO", "WARN", "ERROR", "FATAL"];
export const rankOf = (severity) => Math.max(0, Math.min(3, Math.floor((severity - 1) / 250)));

// Shapes that differ without colours: a disc, a triangle, a diamond, a square.
const SHAPES = ["M8 3a5 5 0 1 0 0 10a5 5 0 1 0 0-10Z", "M8 2.5 14 13.5H2Z", "M8 1.5 14.5 8 8 14.5 1.5 8Z", "M2.5 2.5h11v11h-11Z"];
export const mark = (severity) => {
  const rank = rankOf(severity);
  return h("span", { class: `sev v${rank}` },
    svg("svg", { viewBox: "0 0 16 16", width: 11, height: 11, "aria-hidden": "true" }, svg("path", { d: SHAPES[rank] })), SEVERITIES[rank]);
};

// The plant's clock: the latest known time, plus the time since then on the browser's clock.
let latest = -Infinity, heardAt = Date.now();
export const heard = (time) => {
  if (time > latest + (Date.now() - heardAt)) { latest = time; heardAt = Date.now(); }
};
export const now = () => (latest === -Infinity ? Date.now() : latest + (Date.now() - heardAt));

export const span = (milliseconds) => {
  const s = Math.max(0, milliseconds / 1000);
  if (s < 60) return `${Math.round(s)} s`;
  if (s < 3600) return `${Math.round(s / 60)} min`;
  if (s < 172800) return `${Math.floor(s / 3600)} h ${String(Math.round(s % 3600 / 60) % 60).padStart(2, "0")}`;
  return `${Math.round(s / 86400)} d`;
};
const DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" });
export const clock = (time) => {
  const date = new Date(time), today = new Date(now());
  return date.toDateString() === today.toDateString() ? CLOCK.format(date) : `${DAY.format(date)} ${CLOCK.format(date)}`;
};
export const full = (time) => FULL.format(new Date(time));

// An age that is updated, with the absolute time as a tooltip: see tick().
export const ago = (time, before = "", after = "") =>
  h("time", { datetime: new Date(time).toISOString(), title: full(time), "data-ago": time, "data-before": before, "data-after": after },
    `${before}${span(now() - time)}${after}`);
export const tick = () => {
  for (const each of document.querySelectorAll("time[data-ago]")) {
    const text = `${each.dataset.before}${span(now() - Number(each.dataset.ago))}${each.dataset.after}`;
    if (each.textContent !== text) each.textContent = text;
  }
};

export const quantity = (value, unit) => (value === null || value === undefined ? "–" : `${Plots.number(value)}${unit ? ` ${unit}` : ""}`);
export const many = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;
export const words = (text) => text.replaceAll("_", " ");

// A sensor's name as a link; it breaks behind slashes where it has to.
export const sensorLink = (name, attributes = {}) =>
  h("a", { href: `#/sensor/${encodeURIComponent(name)}`, class: "name", ...attributes },
    h("bdi", {}, name.replace(/\/$/, "").split(/(?<=\/)/).flatMap((level, at) => (at ? [h("wbr"), level] : [level]))));

// A topic; it breaks behind slashes, too.
export const topicCode = (topic) =>
  h("code", { class: "topic" }, topic.split(/(?<=\/)/).flatMap((level, at) => (at ? [h("wbr"), level] : [level])));

// A line of the last readings, with the band that was expected.
export const sparkline = (row, width = 168, height = 40) => {
  const points = row.recent || [];
  const box = svg("svg", { class: "spark", viewBox: `0 0 ${width} ${height}`, width, height, preserveAspectRatio: "none", role: "img",
    "aria-label": `last ${points.length} readings` });
  if (points.length < 2) return box;
  const values = points.map(([, value]) => value);
  let low = Math.min(...values), high = Math.max(...values);
  const room = high - low || Math.abs(high) || 1;
  const lower = row.lower ?? null, upper = row.upper ?? null;
  if (lower !== null) low = Math.min(low, Math.max(lower, low - room));
  if (upper !== null) high = Math.max(high, Math.min(upper, high + room));
  const range = high - low || 1, first = points[0][0], length = points[points.length - 1][0] - first || 1;
  const x = (time) => 4 + (time - first) / length * (width - 10);
  const y = (value) => Math.min(height - 3, Math.max(3, 4 + (high - value) / range * (height - 8)));
  if (lower !== null || upper !== null) {
    const top = upper === null ? 1 : y(upper), bottom = lower === null ? height - 1 : y(lower);
    box.append(svg("rect", { class: "spark-band", x: 0, width, y: Math.min(top, bottom), height: Math.max(2, Math.abs(bottom - top)), rx: 2 }));
  }
  box.append(svg("polyline", { class: "spark-line", "vector-effect": "non-scaling-stroke", points: points.map(([time, value]) => `${x(time).toFixed(1)},${y(value).toFixed(1)}`).join(" ") }));
  const [time, value] = points[points.length - 1];
  box.append(svg("circle", { class: "spark-end", cx: x(time).toFixed(1), cy: y(value).toFixed(1), r: 2.8 }));
  return box;
};

// Put a list's elements in order, keeping those that are there, so that focus and hover stay.
export const arrange = (parent, elements) => {
  let at = parent.firstChild;
  for (const each of elements) {
    if (each === at) at = at.nextSibling;
    else parent.insertBefore(each, at);
  }
  while (at) { const next = at.nextSibling; at.remove(); at = next; }
};

export const toast = (text, kind = "") => {
  const box = document.getElementById("toasts");
  while (box.children.length >= 4) box.firstChild.remove();
  const element = h("p", { class: `toast ${kind}` }, text);
  box.append(element);
  setTimeout(() => element.remove(), kind === "bad" ? 9000 : 4500);
};
