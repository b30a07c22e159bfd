"use strict";
// Draws each plot of a report from the <script type="application/json"> that it names, when it comes near.
(() => {
  const plots = [];
  let shown = 0;
  const linked = () => document.getElementById("linked")?.checked;
  const chosen = (plot, from, to) => {
    if (linked()) for (const each of plots) if (each.plot && each.plot !== plot) each.plot.show(from, to, false);
  };
  const load = (each) => {
    if (each.plot) return;
    const buttons = each.card.querySelectorAll("button[data-act]");
    each.plot = new Plots.Plot(each.box, { label: each.box.dataset.label, buttons, shown: () => shown, onview: chosen });
    each.plot.load(JSON.parse(document.getElementById(each.box.dataset.source).textContent));
  };

  for (const box of document.querySelectorAll(".plot")) plots.push({ box, card: box.closest(".card"), plot: null });
  const near = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      near.unobserve(entry.target);
      load(plots.find((each) => each.box === entry.target));
    }
  }, { rootMargin: "600px" });
  for (const each of plots) {
    if (each.box.getBoundingClientRect().top < innerHeight + 600) load(each);
    else near.observe(each.box);
  }
  window.addEventListener("beforeprint", () => plots.forEach((each) => { load(each); each.plot.draw(); }));

  for (const each of document.querySelectorAll("input[name=shown]")) {
    each.addEventListener("change", () => {
      shown = Number(each.value);
      plots.forEach((each) => each.plot?.draw());
    });
  }
  const search = document.getElementById("search");
  const filter = () => {
    const wanted = search.value.trim().toLowerCase();
    for (const each of plots) each.card.hidden = !each.card.dataset.name.toLowerCase().includes(wanted);
  };
  search?.addEventListener("input", filter);
})();
