"use strict";
// Draws the charts from the data in the page, each when it comes into view. Curves of percentiles have
// log10(1 / (1 - q)) along the x axis, so that every nine gets the same room; latencies are in milliseconds, on a
// logarithmic axis.
(() => {
  const COLOURS = ["#2f81f7", "#d9691f", "#2da44e", "#9566ee", "#d0549f", "#7d8793", "#b08800", "#1196b4"];
  const PERCENTILES_HEIGHT = 340;
  const TIME_HEIGHT = 150;
  const { charts, picked } = JSON.parse(document.getElementById("charts").textContent);
  const chosen = new Set(picked);
  const drawn = new Map(); // chart → plot
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const ink = (name) => () => css(name);
  const home = (chart) => document.getElementById(chart.id);

  const short = (value) => +value.toPrecision(3);
  const milliseconds = (ms) => (ms == null ? "–" : ms >= 1000 ? `${short(ms / 1000)} s` : `${short(ms)} ms`);
  const percentile = (x) => `p${+(100 * (1 - 10 ** -x)).toPrecision(6)}`;
  const decades = (_plot, values) => values.map((v) => (v !== null && Number.isInteger(Math.log10(v)) ? milliseconds(v) : ""));
  const tens = (_plot, splits) => splits.map((v) => (v !== null && Number.isInteger(Math.log10(v)) ? v : null));
  const axis = (more) => ({ stroke: ink("--soft"), grid: { stroke: ink("--line"), width: 1 }, ticks: { stroke: ink("--line") }, ...more });
  const latencyAxis = axis({ size: 62, values: decades, grid: { stroke: ink("--line"), width: 1, filter: tens }, ticks: { show: false } });
  const logarithmic = (low, high) => [10 ** Math.floor(Math.log10(Math.max(low, 0.01))), 10 ** Math.ceil(Math.log10(Math.max(high, 0.1)))];

  const line = (plot, dash, from, to) => {
    plot.ctx.setLineDash(dash.map((length) => length * devicePixelRatio));
    plot.ctx.beginPath();
    plot.ctx.moveTo(...from);
    plot.ctx.lineTo(...to);
    plot.ctx.stroke();
  };

  const threshold = (chart) => (plot) => {
    if (chart.threshold_ms === null || chart.threshold_ms > plot.scales.y.max) return;
    const { left, top, width, height } = plot.bbox;
    const y = plot.valToPos(chart.threshold_ms, "y", true);
    plot.ctx.save();
    plot.ctx.strokeStyle = plot.ctx.fillStyle = css("--violated");
    plot.ctx.lineWidth = (chart.target_x ? 2 : 1) * devicePixelRatio;
    line(plot, [8, 5], [left, y], [left + width, y]);
    if (chart.target_x) {
      const x = plot.valToPos(chart.target_x, "x", true);
      line(plot, [2, 4], [x, top], [x, top + height]);
      plot.ctx.font = `${12 * devicePixelRatio}px system-ui, sans-serif`;
      plot.ctx.textAlign = "left";
      plot.ctx.fillText(`threshold ${milliseconds(chart.threshold_ms)}`, left + 8 * devicePixelRatio, y - 6 * devicePixelRatio);
    }
    plot.ctx.restore();
  };

  const percentiles = (chart) => {
    const series = chart.series.map((each, i) => ({ ...each, i })).filter((each) => chosen.has(each.name) && each.points.length);
    const options = {
      height: PERCENTILES_HEIGHT,
      scales: {
        x: { time: false, range: [0, chart.x_max] },
        y: { distr: 3, range: (_plot, low, high) => logarithmic(low, Math.max(high, 1.5 * (chart.threshold_ms ?? high))) },
      },
      axes: [
        axis({ splits: () => [0, 0.30103, 1, 2, 3, 4, 5, 6].filter((x) => x <= chart.x_max), values: (_p, xs) => xs.map((x) => (x ? percentile(x) : "")) }),
        latencyAxis,
      ],
      series: [
        { label: "percentile", value: (_p, x) => (x === null ? "–" : percentile(x)) },
        ...series.map(({ name, i }) => ({
          label: name,
          stroke: COLOURS[i % COLOURS.length],
          dash: i >= COLOURS.length ? [6, 2 + (2 * Math.floor(i / COLOURS.length)) % 8] : undefined,
          width: 2,
          points: { show: false },
          value: (_p, y) => milliseconds(y),
        })),
      ],
      hooks: { draw: [threshold(chart)] },
    };
    return [options, series.length ? uPlot.join(series.map(({ points }) => [points.map((p) => p[0]), points.map((p) => p[1])])) : [[]]];
  };

  // Over time: a step for each bin, which is why the last value stands twice.
  const STYLES = {
    intended: { stroke: ink("--faint"), width: 2 },
    answered: { stroke: () => COLOURS[0], width: 1.5 },
    errors: { stroke: ink("--violated"), fill: ink("--violated-bg"), width: 1.5 },
    p50: { stroke: () => COLOURS[0], width: 2 },
    p99: { stroke: () => COLOURS[1], width: 2 },
    max: { stroke: ink("--faint"), width: 1 },
  };
  const stepped = uPlot.paths.stepped({ align: 1 });

  const overTime = (chart) => {
    const isRate = chart.kind === "rate";
    const names = Object.keys(chart.lines);
    const bins = names.length ? chart.lines[names[0]].length : 0;
    const [low, high] = chart.range;
    const said = home(chart).parentElement.querySelector(".now");
    const say = (plot) => {
      const { idx } = plot.cursor;
      said.textContent = idx == null ? "" : ` at ${short(idx * chart.bin_s)} s: ${names
        .map((name, i) => `${name} ${isRate ? `${short(plot.data[i + 1][idx] ?? 0)}/s` : milliseconds(plot.data[i + 1][idx])}`)
        .join(", ")}`;
    };
    const options = {
      height: TIME_HEIGHT,
      legend: { show: false },
      cursor: { sync: { key: "time" }, y: false, points: { show: false } },
      scales: {
        x: { time: false, range: [0, bins * chart.bin_s] },
        y: isRate ? { range: [0, Math.max(high * 1.1, 1)] } : { distr: 3, range: logarithmic(low, Math.max(high, 1)) },
      },
      axes: [
        axis({ size: 34, values: (_p, xs) => xs.map((x) => `${x} s`) }),
        isRate ? axis({ size: 62 }) : latencyAxis,
      ],
      series: [{}, ...names.map((name) => ({ label: name, paths: stepped, points: { show: false }, ...STYLES[name] }))],
      hooks: { draw: [threshold(chart)], setCursor: [say] },
    };
    const edges = Array.from({ length: bins + 1 }, (_, i) => i * chart.bin_s);
    return [options, [edges, ...names.map((name) => [...chart.lines[name], chart.lines[name][bins - 1]])]];
  };

  // Over the offered rate: a point for each trial, the typical trial of each rate joined by lines, the fit, and on
  // the right the processors. What decides is the latency at the rank that the objective's target names. Rates repeat and each line has its own, so the rows are laid side by side here.
  const RATE_HEIGHT = 300;
  const shortened = (bound) => {
    const unit = 10 ** (Math.floor(Math.log10(bound)) - 2); // never more than was shown
    return short(Math.floor(bound / unit) * unit);
  };
  const overRate = (chart) => {
    const rows = [];
    const add = (x, column, y) => rows.push([x, column, y]);
    chart.rates.forEach((rate, i) => {
      add(rate, 1, chart.met[i] === null ? null : chart.p50[i]);
      add(rate, chart.met[i] === null ? 4 : chart.met[i] ? 2 : 3, chart.target[i]);
      add(rate, 8, chart.cpu[i]);
    });
    chart.typical.p50.forEach(([x, y]) => add(x, 5, y));
    chart.typical.target.forEach(([x, y]) => add(x, 6, y));
    chart.fit.forEach(([x, y]) => add(x, 7, y));
    rows.sort((a, b) => a[0] - b[0]);
    const data = Array.from({ length: 9 }, (_, column) => rows.map(([x, its, y]) => (column === 0 ? x : its === column ? y : null)));
    const values = [...data.slice(1, 8).flat().filter((y) => y !== null), chart.threshold_ms].filter((y) => y != null);
    const span = [Math.min(...chart.rates), Math.max(...chart.rates)];
    const pad = (span[1] - span[0] || span[1]) * 0.04;
    const dots = (label, colour, fill) => ({ label, stroke: colour, paths: () => null, points: { show: true, size: 7, stroke: colour, fill: fill ?? "transparent" } });
    const joined = (label, colour, more) => ({ label, stroke: colour, width: 1.5, spanGaps: true, points: { show: false }, ...more });
    const marks = (plot) => {
      const { left, top, width, height } = plot.bbox;
      plot.ctx.save();
      plot.ctx.font = `${12 * devicePixelRatio}px system-ui, sans-serif`;
      for (const [x, dash, label, at] of [
        [chart.at_least, [], chart.at_least && `≥ ${shortened(chart.at_least)}`, 1],
        [chart.estimate, [5, 4], chart.estimate && `estimate ${short(chart.estimate)}`, 2],
        [chart.knee, [1, 4], "knee", 3],
      ]) {
        if (x === null) continue;
        const place = plot.valToPos(x, "x", true);
        plot.ctx.strokeStyle = plot.ctx.fillStyle = at === 3 ? css("--faint") : css("--met");
        plot.ctx.lineWidth = 1.5 * devicePixelRatio;
        line(plot, dash, [place, top], [place, top + height]);
        plot.ctx.textAlign = place > left + width / 2 ? "right" : "left";
        plot.ctx.fillText(label, place + (place > left + width / 2 ? -5 : 5) * devicePixelRatio, top + 15 * at * devicePixelRatio);
      }
      plot.ctx.restore();
    };
    const options = {
      height: RATE_HEIGHT,
      legend: { show: false },
      scales: {
        x: { time: false, range: [span[0] - pad, span[1] + pad] },
        y: { distr: 3, range: logarithmic(Math.min(...values), Math.max(...values, 1)) },
        cpu: { range: (_p, _low, high) => [0, Math.max(1, Math.ceil(high ?? 1))] },
      },
      axes: [
        axis({ label: "requests/s", labelSize: 18, size: 34 }),
        latencyAxis,
        axis({ side: 1, scale: "cpu", size: 34, grid: { show: false } }),
      ],
      series: [
        {},
        dots("p50", COLOURS[0]),
        dots("at the target", COLOURS[1], COLOURS[1]),
        dots("missed", css("--violated"), css("--violated")),
        dots("invalid", css("--faint")),
        joined("typical p50", COLOURS[0]),
        joined("typical at the target", COLOURS[1]),
        joined("fit", css("--ink"), { dash: [6, 3] }),
        { ...dots("processors", COLOURS[3]), scale: "cpu", points: { show: true, size: 4, stroke: COLOURS[3], fill: COLOURS[3] } },
      ],
      hooks: { draw: [threshold(chart), marks] },
    };
    return [options, data];
  };

  const DRAWERS = { percentiles, capacity: overRate };
  const draw = (chart) => {
    if (drawn.has(chart) || !home(chart).clientWidth) return;
    const [options, data] = (DRAWERS[chart.kind] ?? overTime)(chart);
    drawn.set(chart, new uPlot({ ...options, width: home(chart).clientWidth - 16 }, data, home(chart)));
  };
  const drawAll = () => charts.forEach(draw);
  const redraw = () => drawn.forEach((plot) => plot.redraw(false, true));

  const byId = new Map(charts.map((chart) => [chart.id, chart]));
  const inView = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) if (isIntersecting) draw(byId.get(target.id));
  }, { rootMargin: "300px" });
  const resized = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const plot = drawn.get(byId.get(target.id));
      if (plot && target.clientWidth) plot.setSize({ width: target.clientWidth - 16, height: plot.height });
    }
  });
  for (const chart of charts) {
    inView.observe(home(chart));
    resized.observe(home(chart));
  }

  const show = () => {
    for (const section of document.querySelectorAll("[data-configuration]")) section.hidden = !chosen.has(section.dataset.configuration);
    const count = document.getElementById("picked");
    if (count) count.textContent = chosen.size;
  };
  const pick = ({ target }) => {
    chosen[target.checked ? "add" : "delete"](target.value);
    show();
    for (const [chart, plot] of [...drawn]) {
      if (chart.kind !== "percentiles") continue;
      plot.destroy();
      drawn.delete(chart);
      draw(chart);
    }
  };
  for (const box of document.querySelectorAll("#picker input")) {
    box.checked = chosen.has(box.value);
    box.addEventListener("change", pick);
  }
  show();

  // Colours are read when a chart is drawn, so it is drawn again when they change; paper shows everything.
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  matchMedia("print").addEventListener("change", ({ matches }) => {
    if (matches) drawAll();
    redraw();
  });
  const opened = [];
  addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details:not([open]):not(.picker)")) {
      details.open = true;
      opened.push(details);
    }
    drawAll();
  });
  addEventListener("afterprint", () => {
    for (const details of opened.splice(0)) details.open = false;
  });

  globalThis.sloproof = { charts, drawn }; // what a test, or a curious reader, can ask
})();
