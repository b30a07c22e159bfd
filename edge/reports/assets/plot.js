"use strict";
// A plot in which a reader can zoom, pan and point: a report shows one or more runs over recorded readings, the page
// one that grows as readings come. plot_drawing.js draws it.
globalThis.Plots = (() => {
  const { Drawing, TOP, number, duration, zone, spelled, make, firstAtLeast, SEVERITIES } = globalThis.PlotDrawing;
  const MOST = 20000;

  class Plot extends Drawing {
    // box: an element that becomes the plot. options, all of them optional:
    //   label    what a screen reader says of it
    //   buttons  elements with data-act: in, out, left, right, reset, height, next, previous
    //   local    whether times are those of the reader's own clock, instead of UTC
    //   lane     what the lane of incidents is called, where there is only one run
    //   shown    gives the number of the run whose band, score and spans are shown
    //   onview   called with the plot when its reader has chosen another view
    constructor(box, options = {}) {
      super(box, options);
      this.longest = 0;  // milliseconds of the past that are kept as readings are added; 0 for all
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
      if (run.states?.length) {
        const away = (state) => Math.abs(state - run.hi[at]);
        rows.push(["state", number(run.states.reduce((one, other) => away(other) < away(one) ? other : one))]);
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
