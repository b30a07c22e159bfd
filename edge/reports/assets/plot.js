"use strict";
// Draws a sensor's readings, band, incidents and scores, and lets a reader zoom, pan and point. No library, no network.
// The drawing is SVG, so that it prints well and follows the reader's colours. The reports and the live page share it:
// a report shows one or more runs over recorded readings, the page one that grows as readings come.
globalThis.Plots = (() => {
  const SVG = "http://www.w3.org/2000/svg";
  const UNITS = [["d", 864e5], ["h", 36e5], ["min", 6e4], ["s", 1e3]];
  const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 15e3, 3e4, 6e4, 12e4, 3e5, 6e5, 9e5, 18e5, 36e5,
    72e5, 108e5, 216e5, 432e5, 864e5, 1728e5, 6048e5, 12096e5, 2592e6, 7776e6, 15552e6, 31536e6, 63072e6, 15768e7];
  const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
  const SEVERITIES = ["INFO", "WARN", "ERROR", "FATAL"];
  const TOP = 6, MAIN = 186, LANE = 13, SCORE = 74, AXIS = 20, RIGHT = 10, MOST = 20000;
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

  class Plot {
    // box: an element that becomes the plot. options, all of them optional:
    //   label    what a screen reader says of it
    //   buttons  elements with data-act: in, out, left, right, reset, height, next, previous
    //   local    whether times are those of the reader's own clock, instead of UTC
    //   lane     what the lane of incidents is called, where there is only one run
    //   shown    gives the number of the run whose band, score and spans are shown
    //   onview   called with the plot when its reader has chosen another view
    constructor(box, options = {}) {
      this.box = box;
      this.options = options;
      this.index = made++;
      this.data = null;
      this.tall = false;
      this.longest = 0;  // milliseconds of the past that are kept as readings are added; 0 for all
      this.svg = make("svg", { role: "img", tabindex: "0", "aria-label": options.label || "Plot" });
      this.tip = document.createElement("div");
      this.tip.className = "tip";
      this.tip.hidden = true;
      this.box.replaceChildren(this.svg, this.tip);
      this.listen();
      new ResizeObserver(() => this.draw()).observe(this.box);
    }

    // Show data: {start, end, labels, runs}, as plot_data.py writes it; the view stays where it can.
    load(data) {
      const before = this.data && !this.isWhole() ? [...this.view] : null;
      this.data = data;
      const { start, end } = data;
      for (const run of data.runs) {
        let level = 0, next = 0;  // the level comes as its changes: [from which reading on, level]
        run.level = run.score.map((_, at) => {
          while (next < run.levels.length && run.levels[next][0] <= at) level = run.levels[next++][1];
          return level;
        });
        if (!run.t) continue;
        let time = run.start;
        run.times = run.t.map((step) => (time += step * run.unit));
        run.hi ||= [...run.lo];
        const steps = run.t.slice(1).sort((a, b) => a - b);
        run.usual = (steps[steps.length >> 1] || 1) * run.unit;
      }
      this.whole = [start, end > start ? end : start + 1000];
      this.view = before ? this.within(...before) : [...this.whole];
      this.draw();
    }

    // Add readings behind all others: [time, value, score, level, lower, upper] each. A view at the end goes along.
    append(rows) {
      const run = this.data.runs[0];
      for (const [time, value, score, level, lower, upper] of rows) {
        const last = run.times.length - 1;
        if (last >= 0 && time <= run.times[last]) continue;
        if (last >= 0 && !(run.usual > 1)) run.usual = time - run.times[last];
        run.times.push(time);
        run.lo.push(value);
        run.hi.push(value);
        run.score.push(score);
        run.level.push(level ?? run.level[last] ?? 0);
        run.lower.push(lower);
        run.upper.push(upper);
      }
      const over = run.times.length - MOST;
      if (over > MOST / 4) for (const each of ["times", "lo", "hi", "score", "level", "lower", "upper"]) run[each].splice(0, over);
      this.extend(run.times[run.times.length - 1]);
    }

    // Let time pass up to a moment.
    extend(end) {
      const by = end - this.whole[1];
      if (!(by > 0)) return;
      const follows = this.view[1] >= this.whole[1] - .005 * (this.view[1] - this.view[0]);
      const isWhole = this.isWhole();
      this.whole[1] = end;
      if (this.longest && this.whole[1] - this.whole[0] > this.longest) this.whole[0] = this.whole[1] - this.longest;
      if (isWhole) this.view = [...this.whole];
      else if (follows) this.view = [this.view[0] + by, end];
      if (follows) this.draw();
    }

    isWhole() { return this.view[1] - this.view[0] > .995 * (this.whole[1] - this.whole[0]); }

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
      const lanes = this.data.runs.length + (this.data.labels.length ? 1 : 0);
      this.left = full < 520 ? 48 : 54;
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
      this.lanes(inside);
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
      const wide = Math.max(kind === "mark" ? 4 : 2, end - start);
      const word = incident.word === "false" && kind === "mark" ? " false" : "";
      const rank = Math.min(3, Math.floor((incident.severity - 1) / 250));
      group.append(make("rect", { class: `${kind} s${rank}${word}`, x: start, y, width: wide, height, rx: kind === "mark" ? 2 : 0 }));
    }

    lanes(inside) {
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

    // A view that lies within all that there is.
    within(from, to) {
      const most = this.whole[1] - this.whole[0], least = Math.min(most, 2000);
      const span = Math.min(most, Math.max(least, to - from));
      const start = Math.min(Math.max((from + to) / 2 - span / 2, this.whole[0]), this.whole[1] - span);
      return [start, start + span];
    }

    show(from, to, chosen = true) {
      if (!this.data) return;
      this.view = this.within(from, to);
      this.tip.hidden = true;
      this.draw();
      if (chosen) this.options.onview?.(this, from, to);
    }

    zoom(factor, around = (this.view[0] + this.view[1]) / 2) {
      this.show(around - (around - this.view[0]) * factor, around + (this.view[1] - around) * factor);
    }

    pan(share) {
      const by = share * (this.view[1] - this.view[0]);
      this.show(this.view[0] + by, this.view[1] + by);
    }

    reset() { this.show(...this.whole); }

    // Go to the next thing to see, or the one before: an incident of any run, or a label; what overlaps is one thing.
    step(direction) {
      const spans = [...this.data.labels.map(([start, end]) => [start, end]),
        ...this.data.runs.flatMap((run) => run.incidents.map((it) => [it.raised, it.ended ?? this.whole[1]]))];
      const things = [];
      for (const [start, end] of spans.sort((a, b) => a[0] - b[0])) {
        const last = things[things.length - 1];
        if (last && start <= last[1]) last[1] = Math.max(last[1], end);
        else things.push([start, end]);
      }
      if (!things.length) return;
      const whole = this.view[1] - this.view[0] > .98 * (this.whole[1] - this.whole[0]);
      const here = whole ? -direction * Infinity : (this.view[0] + this.view[1]) / 2;
      if (direction < 0) things.reverse();
      const next = things.find(([start, end]) => direction * ((start + end) / 2 - here) > 1000) || things[0];
      const [start, end] = next;
      const room = Math.max(3 * (end - start), 40 * this.run().usual);
      this.show((start + end - room) / 2, (start + end + room) / 2);
    }

    point(x, y) {
      if (!this.data) return;
      const run = this.run();
      const time = this.time(Math.min(Math.max(x, this.left), this.left + this.width));
      let at = Math.min(run.times.length - 1, firstAtLeast(run.times, time));
      if (at > 0 && time - run.times[at - 1] < run.times[at] - time) at--;
      if (at < 0) return;
      const place = this.x(run.times[at]);
      this.over.replaceChildren(make("line", { class: "cross", x1: place, x2: place, y1: TOP, y2: this.bottom }));
      const rows = [["value", run.lo[at] === run.hi[at] ? number(run.lo[at]) : `${number(run.lo[at])} to ${number(run.hi[at])}`]];
      if (run.lower[at] !== null && run.upper[at] !== null) {
        rows.push(["expected", `${number(run.lower[at])} to ${number(run.upper[at])}`]);
      }
      rows.push(["score", run.score[at] === null ? "no opinion yet" : `${number(run.score[at])} of ${number(run.level[at])}`]);
      this.tip.replaceChildren();
      const say = (tag, name, text) => {
        const element = document.createElement(tag);
        if (name) element.className = name;
        element.textContent = text;
        return element;
      };
      this.tip.append(say("b", "", spelled(this.date(run.times[at]))));
      for (const [name, text] of rows) {
        const row = say("div", "row", "");
        row.append(say("span", "", name), say("span", "", text));
        this.tip.append(row);
      }
      const slack = 4 * (this.view[1] - this.view[0]) / this.width;
      const note = (mark, text) => {
        const what = say("div", "what", "");
        what.append(say("i", mark, ""), text);
        this.tip.append(what);
      };
      for (const [start, end, kind, verdicts] of this.data.labels) {
        if (time < start - slack || time > end + slack) continue;
        note("truth", `label${kind ? ` ${kind.replaceAll("_", " ")}` : ""}, ${duration(end - start)}: ${verdicts[this.options.shown?.() ?? 0] ?? ""}`);
      }
      for (const each of run.incidents) {
        if (time < each.raised - slack || time > (each.ended ?? this.whole[1]) + slack) continue;
        const rank = Math.min(3, Math.floor((each.severity - 1) / 250));
        note(`s${rank}`, `${SEVERITIES[rank]} ${each.message}${each.word ? ` (${each.word})` : ""}`);
      }
      this.tip.hidden = false;
      const width = this.tip.offsetWidth, height = this.tip.offsetHeight;
      this.tip.style.left = `${Math.max(0, place + 14 + width > this.box.clientWidth ? place - width - 14 : place + 14)}px`;
      this.tip.style.top = `${Math.max(0, Math.min(y - height / 2, this.bottom - height))}px`;
    }

    leave() { this.tip.hidden = true; this.over?.replaceChildren(); }

    listen() {
      let from = null;
      const at = (event) => {
        const box = this.svg.getBoundingClientRect();
        return [event.clientX - box.left, event.clientY - box.top];
      };
      const brush = (x) => make("rect", { class: "brush", x: Math.min(from, x), width: Math.abs(x - from), y: TOP,
        height: this.bottom - TOP });
      this.svg.addEventListener("pointerdown", (event) => {
        if (event.button) return;
        [from] = at(event);
        if (event.pointerType === "mouse") this.svg.setPointerCapture(event.pointerId);
      });
      this.svg.addEventListener("pointermove", (event) => {
        const [x, y] = at(event);
        if (from !== null && Math.abs(x - from) > 5) { this.tip.hidden = true; this.over.replaceChildren(brush(x)); }
        else this.point(x, y);
      });
      this.svg.addEventListener("pointerup", (event) => {
        const [x, y] = at(event), began = from;
        from = null;
        if (began !== null && Math.abs(x - began) > 5) this.show(this.time(Math.min(x, began)), this.time(Math.max(x, began)));
        else this.point(x, y);
      });
      this.svg.addEventListener("pointercancel", () => { from = null; this.leave(); });
      this.svg.addEventListener("pointerleave", () => { if (from === null) this.leave(); });
      this.svg.addEventListener("dblclick", () => this.reset());
      this.svg.addEventListener("wheel", (event) => {
        if (!event.ctrlKey && !event.metaKey) return;
        event.preventDefault();
        this.zoom(event.deltaY > 0 ? 1.25 : .8, this.time(at(event)[0]));
      }, { passive: false });
      const act = { in: () => this.zoom(.5), out: () => this.zoom(2), left: () => this.pan(-.25), right: () => this.pan(.25),
        reset: () => this.reset(), height: () => { this.tall = !this.tall; this.draw(); }, next: () => this.step(1), previous: () => this.step(-1) };
      const keys = { ArrowLeft: "left", ArrowRight: "right", "+": "in", "-": "out", Escape: "reset", 0: "reset", n: "next",
        p: "previous", y: "height" };
      this.svg.addEventListener("keydown", (event) => {
        if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
        event.preventDefault();
        act[keys[event.key]]();
      });
      for (const each of this.options.buttons || []) {
        each.addEventListener("click", () => act[each.dataset.act]());
      }
    }
  }

  return { Plot, number, duration, zone, spelled, make, SEVERITIES };
})();
