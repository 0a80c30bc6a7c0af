"use strict";
// Draws the percentile plots from the data in the page. Percentiles run along the x axis as log10(1 / (1 - q)),
// so that every nine gets the same room; latencies along the y axis, logarithmic, in milliseconds.
(() => {
  const COLOURS = ["#0969da", "#cf5b00", "#1a7f37", "#8250df", "#bf3989", "#6e7781", "#9a6700", "#0a7ea4"];
  const charts = JSON.parse(document.getElementById("charts").textContent);
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const milliseconds = (ms) => (ms == null ? "–" : ms >= 1000 ? `${+(ms / 1000).toPrecision(3)} s` : `${+ms.toPrecision(3)} ms`);
  const percentile = (x) => `p${+(100 * (1 - 10 ** -x)).toPrecision(6)}`;
  const axis = (more) => ({ stroke: css("--soft"), grid: { stroke: css("--line"), width: 1 }, ticks: { stroke: css("--line") }, ...more });

  const threshold = (chart) => (plot) => {
    if (chart.threshold_ms === null) return;
    const y = plot.valToPos(chart.threshold_ms, "y", true);
    const { left, width } = plot.bbox;
    const ink = plot.ctx;
    ink.save();
    ink.strokeStyle = ink.fillStyle = css("--violated");
    ink.lineWidth = 2 * devicePixelRatio;
    ink.setLineDash([8 * devicePixelRatio, 5 * devicePixelRatio]);
    ink.beginPath();
    ink.moveTo(left, y);
    ink.lineTo(left + width, y);
    ink.stroke();
    ink.setLineDash([2 * devicePixelRatio, 4 * devicePixelRatio]);
    const x = plot.valToPos(chart.target_x, "x", true);
    ink.beginPath();
    ink.moveTo(x, plot.bbox.top);
    ink.lineTo(x, plot.bbox.top + plot.bbox.height);
    ink.stroke();
    ink.font = `${12 * devicePixelRatio}px system-ui, sans-serif`;
    ink.textAlign = "left";
    ink.fillText(`threshold ${milliseconds(chart.threshold_ms)}`, left + 8 * devicePixelRatio, y - 6 * devicePixelRatio);
    ink.restore();
  };

  const range = (chart) => (_plot, low, high) => {
    const limit = chart.threshold_ms ?? high;
    return [10 ** Math.floor(Math.log10(Math.max(low, 0.01))), 10 ** Math.ceil(Math.log10(Math.max(high, limit * 1.5)))];
  };

  const draw = (chart, home) => {
    const tables = chart.series.map((series) => [series.points.map((p) => p[0]), series.points.map((p) => p[1])]);
    const options = {
      width: home.clientWidth - 16,
      height: 340,
      scales: { x: { time: false, range: [0, chart.x_max] }, y: { distr: 3, range: range(chart) } },
      axes: [
        axis({ splits: () => [0, 0.30103, 1, 2, 3, 4, 5].filter((x) => x <= chart.x_max), values: (_p, xs) => xs.map(percentile) }),
        axis({ size: 70, values: (_p, ys) => ys.map((y) => (y !== null && Math.log10(y) % 1 === 0 ? milliseconds(y) : "")) }),
      ],
      series: [
        { label: "percentile", value: (_p, x) => (x === null ? "–" : percentile(x)) },
        ...chart.series.map((series, i) => ({
          label: series.name,
          stroke: COLOURS[i % COLOURS.length],
          dash: i >= COLOURS.length ? [6, 4] : undefined,
          width: 2,
          points: { show: false },
          value: (_p, y) => milliseconds(y),
        })),
      ],
      hooks: { draw: [threshold(chart)] },
    };
    const plot = new uPlot(options, uPlot.join(tables), home);
    new ResizeObserver(() => plot.setSize({ width: home.clientWidth - 16, height: 340 })).observe(home);
  };

  for (const chart of charts) draw(chart, document.getElementById(chart.id));
})();
