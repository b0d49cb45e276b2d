/* Draws a chart over its table: every number comes from the table, which stays for those who read it. */
(function () {
  "use strict";

  /* Told apart by lightness as well as by hue; the tooltip and the table name them. */
  const COLOURS = ["#264af4", "#ff8d44", "#197a4b", "#bb87ff", "#006f83"];
  const REST = "#d9d9de";

  /* Behind a number that is a link stands a word for those who listen; － stands where there is none. */
  function numberOf(cell) {
    const value = Number.parseFloat(cell.textContent.replace(/,/g, ""));
    return Number.isNaN(value) ? null : value;
  }

  function read(table) {
    const heads = Array.from(table.tHead.rows[0].cells).slice(1);
    const names = heads.map((cell) => cell.textContent);
    const rows = Array.from(table.tBodies[0].rows);
    return {
      names,
      drawn: heads.map((cell) => cell.dataset.drawn),
      steps: rows.map((row) => row.cells[0].textContent),
      values: names.map((_, index) => rows.map((row) => numberOf(row.cells[index + 1]))),
    };
  }

  function series(data) {
    if (data.names.length === 1) {
      return [{ name: data.names[0], type: "bar", data: data.values[0], itemStyle: { color: "#4979f5" }, barMaxWidth: 40 }];
    }
    /* The first column is the total: the topics are stacked, and what is left of it lies on top. */
    const [total, ...parts] = data.values;
    const left = total.map((value, at) => value - parts.reduce((sum, part) => sum + part[at], 0));
    const bars = parts.map((values, index) => [data.names[index + 1], values, COLOURS[index]]);
    return [...bars, ["そのほか", left, REST]].map(([name, values, color]) => ({
      name,
      type: "bar",
      stack: "all",
      data: values,
      barMaxWidth: 40,
      itemStyle: { color },
    }));
  }

  function pairOptions(data, narrow) {
    const label = { fontSize: 14, color: "#1a1a1a", width: narrow ? 110 : 220, overflow: "truncate" };
    return {
      ...options(data, narrow),
      grid: { left: 8, right: 24, top: 40, bottom: 8, containLabel: true },
      legend: { show: true, top: 0, left: 0, textStyle: { fontSize: 14 } },
      xAxis: { type: "value", minInterval: 1, splitNumber: narrow ? 3 : 5, axisLabel: { fontSize: 14, color: "#4d4d4d", hideOverlap: true }, splitLine: { lineStyle: { color: "#e6e6e6" } } },
      yAxis: { type: "category", inverse: true, data: data.steps, axisLabel: label, axisTick: { show: false } },
      series: data.names.map((name, index) => ({
        name,
        type: "bar",
        data: data.values[index],
        barMaxWidth: 16,
        itemStyle: index === 0 ? { color: "#264af4" } : { color: "#c5d7fb", borderColor: "#4979f5", borderWidth: 1 },
      })),
    };
  }

  /* One thing beside what it is measured by: bars, a line with points, a line of dashes. */
  function courseOptions(data, narrow) {
    const looks = {
      bar: { type: "bar", barMaxWidth: 40, itemStyle: { color: "#7096f8" } },
      line: { type: "line", symbol: "circle", symbolSize: 7, lineStyle: { width: 2, color: "#8a3b00" }, itemStyle: { color: "#8a3b00" } },
      dashes: { type: "line", symbol: "none", lineStyle: { width: 3, type: [6, 4], color: "#1a1a1a" }, itemStyle: { color: "#1a1a1a" } },
    };
    const base = options(data, narrow);
    const series = data.names.map((name, index) => ({ name, data: data.values[index], ...looks[data.drawn[index]] }));
    /* The legend would put a point on a line that has none. */
    const named = data.names.map((name, index) => ({ name, ...(data.drawn[index] === "dashes" ? { itemStyle: { opacity: 0 } } : {}) }));
    return { ...base, legend: { ...base.legend, data: named }, series };
  }

  function options(data, narrow) {
    return {
      animation: false,
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, fontSize: 14, color: "#1a1a1a" },
      grid: { left: 8, right: 16, top: data.names.length > 1 ? (narrow ? 40 : 48) : 24, bottom: 8, containLabel: true },
      legend: { show: data.names.length > 1, top: 0, left: 0, type: narrow ? "scroll" : "plain", textStyle: { fontSize: 14 } },
      tooltip: { trigger: "axis", renderMode: "richText", confine: true },
      xAxis: { type: "category", data: data.steps, axisLabel: { hideOverlap: true, fontSize: 14, color: "#4d4d4d" }, axisTick: { alignWithLabel: true } },
      yAxis: { type: "value", minInterval: 1, axisLabel: { fontSize: 14, color: "#4d4d4d" }, splitLine: { lineStyle: { color: "#e6e6e6" } } },
      series: series(data),
    };
  }

  function draw(figure) {
    const table = figure.querySelector("table");
    const canvas = figure.querySelector("[data-chart-canvas]");
    if (!table || !canvas || typeof echarts === "undefined") return;
    const data = read(table);
    canvas.hidden = false;
    canvas.setAttribute("aria-hidden", "true");
    figure.querySelector("[data-chart-table]").open = false;
    const chart = echarts.init(canvas, null, { renderer: "canvas" });
    const paint = () => {
      chart.resize();
      const make = { pair: pairOptions, course: courseOptions }[figure.dataset.chartKind] || options;
      chart.setOption(make(data, canvas.clientWidth < 560), true);
    };
    paint();
    new ResizeObserver(paint).observe(canvas);
    const button = figure.querySelector("[data-chart-save]");
    if (button) {
      button.hidden = false;
      button.addEventListener("click", () => save(figure, chart.renderToCanvas({ pixelRatio: 2, backgroundColor: "#ffffff" }), 2));
    }
  }

  /* What was drawn, at so many pixels for one of the page's, as a picture of its own: what it shows, of which days, and when it was made. */
  function save(figure, drawn, scale) {
    const [margin, head, foot] = [20 * scale, 72 * scale, 36 * scale];
    const picture = document.createElement("canvas");
    picture.width = drawn.width + 2 * margin;
    picture.height = drawn.height + head + foot;
    const pen = picture.getContext("2d");
    const font = getComputedStyle(document.body).fontFamily;
    const write = (text, size, weight, colour, y) => {
      pen.font = `${weight} ${size * scale}px ${font}`;
      pen.fillStyle = colour;
      pen.fillText(text, margin, y, picture.width - 2 * margin);
    };
    const title = figure.querySelector("figcaption").textContent.trim();
    pen.fillStyle = "#ffffff";
    pen.fillRect(0, 0, picture.width, picture.height);
    write(title, 18, 700, "#1a1a1a", 32 * scale);
    write(figure.dataset.period, 14, 400, "#4d4d4d", 56 * scale);
    pen.drawImage(drawn, margin, head);
    write(`${figure.dataset.today} に作成（声環）`, 12, 400, "#4d4d4d", picture.height - 14 * scale);
    picture.toBlob((blob) => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(blob);
      link.download = `${title}.png`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    }, "image/png");
  }

  document.querySelectorAll("[data-chart]").forEach(draw);
  window.koenowaSavePicture = save;
})();
