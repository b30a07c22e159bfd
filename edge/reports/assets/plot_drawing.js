"use strict";
// Draws a sensor's readings, band, incidents and scores as SVG, so that it prints well and follows the reader's colours.
// plot.js lets a reader move in it. The reports and the live page share both; no library, no network.
globalThis.PlotDrawing = (() => {
  const SVG = "http://www.w3.org/2000/svg";
  const UNITS = [["d", 864e5], ["h", 36e5], ["min", 6e4], ["s", 1e3]];
  const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 15e3, 3e4, 6e4, 12e4, 3e5, 6e5, 9e5, 18e5, 36e5,
    72e5, 108e5, 216e5, 432e5, 864e5, 1728e5, 6048e5, 12096e5, 2592e6, 7776e6, 15552e6, 31536e6, 63072e6, 15768e7];
  const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
  const SEVERITIES = ["INFO", "WARN", "ERROR", "FATAL"];
  const TOP = 6, MAIN = 186, LANE = 13, SCORE = 74, AXIS = 20, RIGHT = 10;
  let made = 0;

  const two = (number) => String(number).padStart(2, "0");
  const number = (value) => {
    if (value === null || value === undefined || Number.isNaN(value)) return "–";
    const size = Math.abs(value);
    if (size !== 0 && (size < 1e-4 || size >= 1e7)) return value.toExponential(2);
    return String(Number(value.toPrecision(5)));
  };
  const spelled = (date) => `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()} ` +
    `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
  // Milliseconds to add to a time so that its UTC fields show the reader's own clock.
  const zone = (time) => -6e4 * new Date(time).getTimezoneOffset();
  const duration = (span) => {
    for (const [unit, size] of UNITS) if (span >= size) return `${Number((span / size).toPrecision(3))} ${unit}`;
    return `${Math.round(span)} ms`;
  };
  const make = (name, attributes, text) => {
    const element = document.createElementNS(SVG, name);
    for (const key in attributes) element.setAttribute(key, attributes[key]);
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const firstAtLeast = (sorted, wanted) => {
    let low = 0, high = sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sorted[middle] < wanted) low = middle + 1; else high = middle;
    }
    return low;
  };

  // One plot. data is what plot_data.py writes; view is the part of it that is shown, [from, to] in milliseconds.
  class Drawing {
    constructor(box, options) {
      this.box = box;
      this.options = options;
      this.index = made++;
      this.data = null;
      this.tall = false;
      this.svg = make("svg", { role: "img", tabindex: "0", "aria-label": options.label || "Plot" });
    }

    date(time) { return new Date(this.options.local ? time + zone(time) : time); }

    // The run whose band, score and spans are shown, with the series that it was drawn from.
    run() {
      const run = this.data.runs[this.options.shown?.() ?? 0] || this.data.runs[0];
      const series = run.times ? run : this.data.runs[run.like];
      return { ...series, ...run, times: series.times, lo: series.lo, hi: series.hi, usual: series.usual };
    }

    x(time) { return this.left + (time - this.view[0]) / (this.view[1] - this.view[0]) * this.width; }
    time(x) { return this.view[0] + (x - this.left) / this.width * (this.view[1] - this.view[0]); }

    draw() {
      const full = this.box.clientWidth;
      if (!full || !this.data) return;
      const kinds = this.kinds();
      const lanes = this.data.runs.length + (this.data.labels.length ? 1 : 0) + kinds.length;
      this.left = kinds.length ? 78 : full < 520 ? 48 : 54;
      this.width = full - this.left - RIGHT;
      this.lanesTop = TOP + MAIN + 5;
      this.scoreTop = this.lanesTop + lanes * LANE + 7;
      this.bottom = this.scoreTop + SCORE;
      const height = this.bottom + AXIS;
      this.svg.setAttribute("viewBox", `0 0 ${full} ${height}`);
      this.svg.setAttribute("height", height);
      this.box.style.minHeight = `${height}px`;
      const id = `clip-${this.index}`;
      const defs = make("defs", {});
      const clip = make("clipPath", { id });
      clip.append(make("rect", { x: this.left, y: 0, width: this.width, height }));
      const hatch = make("pattern", { id: `hatch-${this.index}`, width: 7, height: 7, patternUnits: "userSpaceOnUse",
        patternTransform: "rotate(45)" });
      hatch.append(make("rect", { class: "hatch", width: 1.6, height: 7 }));
      defs.append(clip, hatch);
      const inside = make("g", { "clip-path": `url(#${id})` });
      const run = this.run();
      const columns = this.columns(run);
      this.svg.replaceChildren(defs);
      this.axis(height);
      this.series(inside, run, columns);
      this.lanes(inside, kinds);
      this.scores(inside, defs, run, columns);
      this.over = make("g", {});
      this.svg.append(inside, this.over);
    }

    // The visible data, one entry per reading or, if there are too many, one per pixel.
    columns(run) {
      const from = Math.max(0, firstAtLeast(run.times, this.view[0]) - 1);
      const to = Math.min(run.times.length, firstAtLeast(run.times, this.view[1]) + 1);
      const found = [];
      const each = Math.max(1, (to - from) / (this.width * 1.2));
      const gap = Math.max(5 * run.usual, 0);
      for (let at = from; at < to;) {
        const stop = Math.min(to, Math.max(at + 1, Math.round(from + each * (found.length + 1))));
        const one = { at, time: run.times[at], lo: Infinity, hi: -Infinity, score: null, level: run.level[at], lower: 0,
          upper: 0, broken: at > 0 && run.times[at] - run.times[at - 1] > gap };
        let lowers = 0, uppers = 0;
        for (let i = at; i < stop; i++) {
          one.lo = Math.min(one.lo, run.lo[i]);
          one.hi = Math.max(one.hi, run.hi[i]);
          if (run.score[i] !== null && (one.score === null || run.score[i] > one.score)) one.score = run.score[i];
          if (run.lower[i] !== null) { one.lower += run.lower[i]; lowers++; }
          if (run.upper[i] !== null) { one.upper += run.upper[i]; uppers++; }
        }
        one.lower = lowers ? one.lower / lowers : null;
        one.upper = uppers ? one.upper / uppers : null;
        found.push(one);
        at = stop;
      }
      return found;
    }

    axis(height) {
      const span = this.view[1] - this.view[0];
      const step = STEPS.find((each) => span / each * 74 <= this.width) || STEPS[STEPS.length - 1];
      const shift = this.options.local ? zone(this.view[0]) : 0;
      for (let at = Math.ceil((this.view[0] + shift) / step) * step - shift; at <= this.view[1]; at += step) {
        const date = new Date(at + shift), x = this.x(at);
        const midnight = (at + shift) % 864e5 === 0;
        let text = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
        if (midnight) text = `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
        else if (step < 6e4) text += `:${two(date.getUTCSeconds())}`;
        if (step >= 2592e6) text = `${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
        this.svg.append(make("line", { class: midnight ? "day" : "grid", x1: x, x2: x, y1: TOP, y2: this.bottom }));
        if (x > this.left + 14 && x < this.left + this.width - 14) {
          this.svg.append(make("text", { x, y: height - 5, "text-anchor": "middle" }, text));
        }
      }
    }

    series(inside, run, columns) {
      let low = Infinity, high = -Infinity;
      for (const each of columns) { low = Math.min(low, each.lo); high = Math.max(high, each.hi); }
      if (!(high >= low)) { low = 0; high = 1; }
      // A few readings far away would flatten all others: they are cut off and marked, until requested. But the
      // last reading is shown, unless it is absurdly far away.
      const [usualLow, usualHigh] = this.usual(columns);
      this.isCut = !this.tall && high - low > 4 * (usualHigh - usualLow) && usualHigh > usualLow;
      if (this.isCut) {
        const more = usualHigh - usualLow;
        const last = columns[columns.length - 1], within = (value) => value >= usualLow - 20 * more && value <= usualHigh + 20 * more;
        low = Math.max(low, Math.min(usualLow - more, within(last.lo) ? last.lo : Infinity));
        high = Math.min(high, Math.max(usualHigh + more, within(last.hi) ? last.hi : -Infinity));
      }
      this.box.classList.toggle("is-cut", this.isCut || this.tall);
      const range = high - low || Math.abs(high) || 1;
      let bottom = low, top = high;
      for (const each of columns) {
        if (each.lower !== null) bottom = Math.min(bottom, Math.max(each.lower, low - .35 * range));
        if (each.upper !== null) top = Math.max(top, Math.min(each.upper, high + .35 * range));
      }
      const room = (top - bottom || range) * .05;
      bottom -= room; top += room;
      const y = (value) => TOP + (top - value) / (top - bottom) * MAIN;
      const cut = (value) => Math.min(TOP + MAIN, Math.max(TOP, y(value)));
      const line = (value) => Math.min(TOP + MAIN + 1, Math.max(TOP - 1, y(value)));
      const power = 10 ** Math.floor(Math.log10((top - bottom) / 4));
      const step = [1, 2, 5, 10].map((each) => each * power).find((each) => (top - bottom) / each <= 5);
      for (let at = Math.ceil(bottom / step); at * step <= top; at++) {
        const place = y(at * step);
        this.svg.append(make("line", { class: "grid", x1: this.left, x2: this.left + this.width, y1: place, y2: place }));
        this.svg.append(make("text", { x: this.left - 6, y: place + 4, "text-anchor": "end" }, number(at * step)));
      }
      for (const [start, end] of this.data.labels) {
        const x = this.x(start), width = Math.max(2, this.x(end) - x);
        inside.append(make("rect", { class: "labelspan", x, width, y: TOP, height: MAIN, fill: `url(#hatch-${this.index})` }));
      }
      for (const each of run.incidents) this.span(inside, each, "span", TOP, MAIN);
      for (const value of run.states ?? []) {
        if (value < bottom || value > top) continue;
        inside.append(make("line", { class: "state", x1: this.left, x2: this.left + this.width, y1: y(value), y2: y(value) }));
      }
      inside.append(make("path", { class: "bandarea", d: this.band(columns, cut) }));
      let path = "", marked = NaN;
      const tight = columns.every((each) => each.lo === each.hi);
      for (const each of columns) {
        const x = this.x(each.time).toFixed(1), begin = path === "" || each.broken ? "M" : "L";
        path += `${begin}${x} ${line(each.lo).toFixed(1)}`;
        if (!tight && each.hi !== each.lo) path += `L${x} ${line(each.hi).toFixed(1)}`;
        const away = each.hi > top ? [TOP, 5] : each.lo < bottom ? [TOP + MAIN, -5] : null;
        if (away && !(Math.abs(x - marked) < 7)) {
          inside.append(make("path", { class: "away", d: `M${x} ${away[0]}l-4 ${away[1]}h8Z` }));
          marked = x;
        }
      }
      inside.append(make("path", { class: "line", d: path }));
      if (columns.length < this.width / 8) {
        const dots = columns.map((each) => {
          const x = this.x(each.time).toFixed(1), at = y(each.hi).toFixed(1);
          return `M${x} ${at}m-2 0a2 2 0 1 0 4 0a2 2 0 1 0 -4 0`;
        });
        inside.append(make("path", { class: "dots", d: dots.join("") }));
      }
    }

    // Between which values all but a few readings lie.
    usual(columns) {
      const lows = columns.map((each) => each.lo).sort((a, b) => a - b);
      const highs = columns.map((each) => each.hi).sort((a, b) => a - b);
      return [lows[Math.floor(.02 * lows.length)] ?? 0, highs[Math.ceil(.98 * highs.length) - 1] ?? 1];
    }

    band(columns, y) {
      let path = "", piece = [];
      const close = () => {
        if (piece.length > 1) {
          const back = [...piece].reverse();
          path += `M${piece.map((each) => `${this.x(each.time).toFixed(1)} ${y(each.upper).toFixed(1)}`).join("L")}`;
          path += `L${back.map((each) => `${this.x(each.time).toFixed(1)} ${y(each.lower).toFixed(1)}`).join("L")}Z`;
        }
        piece = [];
      };
      for (const each of columns) {
        if (each.broken || each.lower === null || each.upper === null) close();
        if (each.lower !== null && each.upper !== null) piece.push(each);
      }
      close();
      return path;
    }

    span(group, incident, kind, y, height) {
      const start = this.x(incident.raised), end = this.x(incident.ended ?? this.whole[1]);
      const wide = Math.max(kind === "span" ? 2 : 4, end - start);
      const word = incident.word === "false" && kind === "mark" ? " false" : "";
      const rank = Math.min(3, Math.floor((incident.severity - 1) / 250));
      group.append(make("rect", { class: `${kind} s${rank}${word}`, x: start, y, width: wide, height, rx: kind === "mark" ? 2 : 0 }));
    }

    // The kinds of conditions of the shown run's incidents, in the order in which they first held.
    kinds() {
      const held = this.run().incidents.flatMap((each) => each.conditions ?? []).sort((a, b) => a[1] - b[1]);
      return [...new Set(held.map(([kind]) => kind))];
    }

    lanes(inside, kinds) {
      let y = this.lanesTop;
      const name = (text) => this.svg.append(make("text", { class: "lane", x: this.left - 6, y: y + LANE - 4,
        "text-anchor": "end" }, text));
      if (this.data.labels.length) {
        for (const [start, end] of this.data.labels) {
          const x = this.x(start), width = Math.max(4, this.x(end) - x);
          inside.append(make("rect", { x, width, y: y + 2, height: LANE - 4, rx: 2, class: "truth" }));
        }
        name("label");
        y += LANE;
      }
      this.data.runs.forEach((run, place) => {
        for (const each of run.incidents) this.span(inside, each, "mark", y + 2, LANE - 4);
        name(this.data.runs.length > 1 ? String.fromCharCode(65 + place) : this.options.lane || "raised");
        y += LANE;
      });
      // A condition is shown from its first reading on, until its incident ends.
      for (const kind of kinds) {
        for (const each of this.run().incidents) {
          const since = (each.conditions ?? []).find(([its]) => its === kind);
          if (since) this.span(inside, { ...each, raised: since[1], word: "" }, "condition", y + 4, LANE - 8);
        }
        name(kind);
        y += LANE;
      }
    }

    scores(inside, defs, run, columns) {
      let highest = 1, level = 0;
      for (const each of columns) {
        highest = Math.max(highest, each.score ?? 0);
        level = Math.max(level, Math.min(each.level, 12));
      }
      const top = Math.log2(1 + Math.max(highest, 1.6 * level));
      const y = (score) => this.bottom - Math.min(1, Math.log2(1 + score) / top) * SCORE;
      let last = Infinity;
      for (const each of [0, 2, 5, 10, 30, 100, 300]) {
        const place = y(each);
        if (Math.log2(1 + each) > top || last - place < 13) continue;
        last = place;
        this.svg.append(make("line", { class: "grid", x1: this.left, x2: this.left + this.width, y1: place, y2: place }));
        this.svg.append(make("text", { x: this.left - 6, y: place + 4, "text-anchor": "end" }, String(each)));
      }
      let path = "", open = false, x = 0;
      for (const each of columns) {
        if (each.score === null || each.broken) { if (open) path += `L${x} ${this.bottom}Z`; open = false; }
        x = this.x(each.time).toFixed(1);
        if (each.score === null) continue;
        if (!open) path += `M${x} ${this.bottom}`;
        open = true;
        path += `L${x} ${y(each.score).toFixed(1)}`;
      }
      if (open) path += `L${x} ${this.bottom}Z`;
      const id = `beyond-${this.index}`;
      const clip = make("clipPath", { id });
      let above = `M${this.left} 0`, line = "";
      for (const each of columns) {
        if (!each.level) continue;  // it wasn't scored
        const place = `${this.x(each.time).toFixed(1)} ${y(each.level).toFixed(1)}`;
        above += `L${place}`;
        line += `${line ? "L" : "M"}${place}`;
      }
      clip.append(make("path", { d: line ? `${above}L${this.left + this.width + 9} 0Z` : "" }));
      defs.append(clip);
      const beyond = make("g", { "clip-path": `url(#${id})` });
      beyond.append(make("path", { class: "beyond", d: path }));
      inside.append(make("path", { class: "score", d: path }), beyond, make("path", { class: "levelline", d: line }));
    }
  }

  return { Drawing, TOP, number, duration, zone, spelled, make, firstAtLeast, SEVERITIES };
})();
