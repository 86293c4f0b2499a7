"use strict";
const report = JSON.parse(document.getElementById("report").textContent);
// Plotly would offer to send a chart, with its data, to a service of its makers.
const config = { responsive: true, displaylogo: false, showSendToCloud: false };
const draw = (id, figure) => Plotly.newPlot(id, figure.data, figure.layout, config);
for (const [id, figure] of Object.entries(report.charts)) {
  if (document.getElementById(id) && id !== "distribution") draw(id, figure);
}

const short = (x) => x === null ? "–" : Intl.NumberFormat("en", { maximumSignificantDigits: 4 }).format(x);
const chosen = document.getElementById("feature");
if (chosen) {
  const { data, layout } = report.charts.distribution;
  const show = () => {
    const feature = report.features.find((f) => f.name === chosen.value);
    const { edges, counts, churn_rates: rates } = feature;
    const middles = counts.map((_, i) => (edges[i] + edges[i + 1]) / 2);
    const isWhole = edges.length > 1 && edges[1] - edges[0] === 1 && edges[0] % 1 !== 0;
    const spans = counts.map((n, i) => {
      const from = isWhole ? middles[i] : edges[i];
      const span = isWhole ? short(from) : `${short(from)} to ${short(edges[i + 1])}`;
      const tail = i === 0 ? " or less" : i === counts.length - 1 ? " or more" : "";
      return `${span}${tail}: ${n.toLocaleString("en")} customers`;
    });
    const bars = { ...data[0], x: middles, y: counts, customdata: spans };
    const line = { ...data[1], x: middles, y: (rates ?? []).map((r) => r === null ? null : 100 * r) };
    const axes = { ...layout, xaxis: { ...layout.xaxis, title: { text: feature.name } } };
    if (!rates) axes.yaxis2 = { ...layout.yaxis2, visible: false };
    Plotly.react("distribution", rates ? [bars, line] : [bars], axes, config);
    document.getElementById("about").textContent = `${feature.about} ` +
      `Half of the customers lie at or below ${short(feature.p50 ?? null)}; ` +
      `${feature.missing.toLocaleString("en")} have no value.`;
  };
  chosen.addEventListener("change", show);
  document.querySelectorAll("button[data-feature]").forEach((button) => button.addEventListener("click", () => {
    chosen.value = button.dataset.feature;
    show();
    document.getElementById("distributions").scrollIntoView();
    chosen.focus({ preventScroll: true });
  }));
  show();
}

const wanted = document.getElementById("wanted");
if (wanted) wanted.addEventListener("input", () => {
  const text = wanted.value.toLowerCase();
  let shown = 0;
  document.querySelectorAll("#features tbody tr").forEach((row) => {
    row.hidden = !row.textContent.toLowerCase().includes(text);
    shown += row.hidden ? 0 : 1;
  });
  document.getElementById("shown").textContent = `${shown} shown`;
});

document.querySelectorAll("table.sortable").forEach((table) => {
  table.querySelectorAll("th button").forEach((button) => button.addEventListener("click", () => {
    const head = button.closest("th");
    const at = [...head.parentNode.children].indexOf(head);
    const isUp = head.getAttribute("aria-sort") === "descending";
    table.querySelectorAll("th").forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", isUp ? "ascending" : "descending");
    const value = (row) => row.children[at].dataset.value ?? row.children[at].textContent;
    const rows = [...table.tBodies[0].rows].sort((a, b) => {
      const [x, y] = [value(a), value(b)];
      if (x === "" || y === "") return (x === "") - (y === "");
      const order = isNaN(x) || isNaN(y) ? x.localeCompare(y) : x - y;
      return isUp ? order : -order;
    });
    table.tBodies[0].append(...rows);
  }));
});
